"""Who is served: a directory, a webhook with a signature, people through Apprise."""

from __future__ import annotations

import hashlib
import hmac
import logging
import threading
import urllib.error
import urllib.request
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from http.client import HTTPException
from queue import Empty, SimpleQueue
from typing import Any, Protocol
from urllib.parse import urlsplit

from training_assets.core import fingerprint
from training_assets.core.errors import InputError
from training_assets.resources.cases import OPENED, opened_by
from training_assets.resources.directories import Directory
from training_assets.resources.ledger import Event
from training_assets.resources.places import Places
from training_assets.resources.registry import Registry
from training_assets.spec import DirectoryTarget, ModelSpec, WebhookTarget

SIGNATURE_HEADER, KEY_HEADER = "X-Training-Assets-Signature", "Idempotency-Key"


class Receiver(Protocol):
    """Somebody who gets events."""

    @property
    def name(self) -> str:
        """Name in the spec."""

    @property
    def listens_to(self) -> str:
        """The kind of event."""

    @property
    def destination(self) -> Mapping[str, str]:
        """Where it is, as the ledger keeps it: a secret's reference, never the secret."""

    def has(self, event: Event, key: str) -> bool | None:
        """Whether it holds this event, and so needs none before it; none where the ledger alone knows what it got."""

    def send(self, event: Event, key: str) -> None:
        """Bring an event; raises InputError E_DELIVERY where it did not arrive. No secret is in its words."""


def receivers(spec: ModelSpec, places: Places, registry: Registry) -> Sequence[Receiver]:
    """Everybody whom a model's spec names."""
    found: list[Receiver] = []
    targets = spec.release.targets
    directories = frozenset(name for name, target in targets.items() if isinstance(target, DirectoryTarget))
    for name, target in targets.items():
        if isinstance(target, DirectoryTarget):
            found.append(Directory(name, f"{target.of}_moved", target, registry, places, directories))
        else:
            found.append(Webhook(name, f"{target.of}_moved", target, places))
    found += [People(reference, places) for reference in spec.release.review.notify]
    return found


@dataclass(frozen=True)
class Webhook:
    """An HTTP receiver; the body is signed with HMAC-SHA256, and a redirect is not followed."""

    name: str
    listens_to: str
    target: WebhookTarget
    places: Places

    @property
    def destination(self) -> Mapping[str, str]:
        """The URL's reference."""
        return {"kind": self.target.kind, "url": self.target.url}

    def has(self, _event: Event, _key: str) -> bool | None:
        """Nobody can see."""
        return None

    def send(self, event: Event, key: str) -> None:
        """POST the move; any answer but a whole 2xx within the time-out is a failure."""
        url, secret = self.places.secrets(self.target.url), self.places.secrets(self.target.secret)
        if not _is_web(url):
            raise InputError("E_DELIVERY", f"{self.target.url} holds no http or https URL")
        body = fingerprint.canonical(message_of(event, key))
        request = urllib.request.Request(  # noqa: S310 - the scheme was looked at
            url,
            body,
            {"Content-Type": "application/json", KEY_HEADER: key, SIGNATURE_HEADER: signature(secret, body)},
            method="POST",
        )
        try:
            _within(self.target.timeout_seconds, lambda: _post(request, self.target.timeout_seconds))
        except urllib.error.HTTPError as error:
            error.close()  # it holds the connection
            raise InputError("E_DELIVERY", f"the receiver answered with status {error.code}") from None
        except (OSError, HTTPException, ValueError) as error:
            raise InputError("E_DELIVERY", f"the receiver cannot be reached ({type(error).__name__})") from None


@dataclass(frozen=True)
class People:
    """Somebody who is told of an open case, by an Apprise URL: Slack, e-mail, a webhook, and many others."""

    name: str
    places: Places
    listens_to: str = OPENED

    @property
    def destination(self) -> Mapping[str, str]:
        """The URL's reference, which is the name too."""
        return {"kind": "people", "url": self.name}

    def has(self, _event: Event, _key: str) -> bool | None:
        """Nobody can see."""
        return None

    def send(self, event: Event, key: str) -> None:  # noqa: ARG002 - people need no key
        """Tell them what is asked, where the report and the run are, and how to decide."""
        said = _apprise()
        if not said.add(self.places.secrets(self.name)):
            raise InputError("E_DELIVERY", f"{self.name} holds no URL that Apprise knows")
        case = opened_by(event)
        lines = [case.text, ""]
        if case.page is not None:
            lines.append(f"report: {self.places.home / case.page}")
        if case.run_id:
            lines.append(f"run: {self.places.run_url(case.run_id) or case.run_id}")
        lines.append(f"training-assets review {case.model} {case.name}")
        if not said.notify(body="\n".join(lines), title=f"{case.model}: {case.name} waits for you"):
            raise InputError("E_DELIVERY", f"{self.name} did not take the message")


def _apprise() -> Any:
    """Apprise with all its plugins, some of which import what Python deprecates; it says nothing by itself."""
    logging.getLogger("apprise").disabled = True  # its lines hold URLs, and so tokens
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        import apprise

        apprise.Apprise.instantiate("json://localhost")  # loads them
    return apprise.Apprise()


def message_of(event: Event, key: str) -> dict[str, Any]:
    """What a webhook gets."""
    fields = ("pointer", "from", "to", "way", "reason", "candidate")
    return {
        "idempotency_key": key, "model": event.model, "at": event.at, "actor": event.actor,
        **{name: event.data[name] for name in fields if name in event.data},
        "model_uri": f"models:/{event.model}/{event.data['to']}",
    }  # fmt: skip


def signature(secret: str, body: bytes, at: datetime | None = None) -> str:
    """`t=<seconds>,v1=<hex>`: HMAC-SHA256 over seconds, a point and the body; an old one is known as old."""
    seconds = int((at or datetime.now(UTC)).timestamp())
    digest = hmac.new(secret.encode(), f"{seconds}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={seconds},v1={digest}"


def _is_web(url: str) -> bool:
    try:
        return urlsplit(url).scheme in {"http", "https"}
    except ValueError:  # such as http://[x/
        return False


def _post(request: urllib.request.Request, seconds: float) -> None:
    with _OPENER.open(request, timeout=seconds):
        pass


def _within(seconds: float, call: Callable[[], None]) -> None:
    """Call, and raise what it raises, or TimeoutError after so long: a socket's time-out begins anew with each byte."""
    ended: SimpleQueue[Exception | None] = SimpleQueue()

    def carry_out() -> None:
        try:
            call()
        except Exception as error:  # noqa: BLE001 - it is raised by who waits
            ended.put(error)
        else:
            ended.put(None)

    threading.Thread(target=carry_out, daemon=True).start()
    try:
        error = ended.get(timeout=seconds)
    except Empty:
        raise TimeoutError from None
    if error is not None:
        try:
            raise error
        finally:
            del error  # with its traceback, which holds this frame, it would live on


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """What is signed for one receiver goes to no other."""

    def redirect_request(self, *_args: Any, **_more: Any) -> None:
        """Follow nowhere."""


_OPENER = urllib.request.build_opener(_NoRedirect)
