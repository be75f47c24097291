"""What drivers say, as the user's to mend, and without the secrets that they were given."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import TypeVar
from urllib.parse import parse_qsl, quote, quote_plus, unquote, urlsplit

from training_assets.core.errors import InputError

T = TypeVar("T")
HIDDEN = "***"
# A shorter secret is part of ordinary words: a text that holds it is withheld as a whole.
SHORTEST = 4
LONGEST = 500
SECRET_KEYS = ("password", "sslpassword", "passfile", "oauth_client_secret")
# What a driver's words call for; the first that fits.
_HINTS = (
    (r"password|authentication|no pg_hba|role .* does not exist", "mend the secret that source.database.url names"),
    (r"permission denied|not authorized", "grant its user SELECT on what the query reads"),
    (r"statement timeout|interrupt|lock timeout", "narrow the query, or give the columns that it filters by an index"),
    (r"read-?only|data-modifying|attached in read", "a query of a spec reads rows, and changes nothing"),
    (
        r"locked|conflicting lock|different configuration",
        "another process holds the file: let it finish, then run again",
    ),
    (
        r"not a database|not a valid|does not exist in read-only|is not a regular|malformed",
        "mend source.database.path, or the file",
    ),
    (
        r"connect|timeout expired|timed out|could not translate|server closed|terminating",
        "see that the server runs and can be reached from here, and mend the secret if it names another one",
    ),
)


def secret_forms(url: str) -> list[str]:
    """The texts that must not be shown of a connection's URL: itself and its passwords, plain and URL-encoded."""
    found = {url}
    try:
        parts = urlsplit(url)
        passwords = [parts.password or "", *(value for key, value in parse_qsl(parts.query) if key in SECRET_KEYS)]
    except ValueError:
        passwords = []
    for password in passwords:
        plain = unquote(password)
        found |= {password, plain, quote(plain), quote(plain, safe=""), quote_plus(plain)}
    return sorted(found - {""}, key=len, reverse=True)


def redacted(text: str, secrets: Iterable[str]) -> str:
    """The text with every secret hidden; withheld as a whole where a secret is too short to be told from words."""
    for secret in secrets:
        if len(secret) < SHORTEST and secret in text:
            return "what it said is withheld, because the password is too short to be told from words"
        text = text.replace(secret, HIDDEN)
    return text


def attempt(where: str, secrets: Iterable[str], action: Callable[[], T]) -> T:
    """The action's result; whatever a driver raises becomes InputError E_DATABASE, without its text's secrets.

    The error is raised outside of the handler: it has neither cause nor context in which a secret could lie.
    """
    try:
        return action()
    except InputError as known:
        wrong = InputError(known.code, redacted(known.text, secrets))
    except Exception as error:  # noqa: BLE001 - drivers raise errors of every kind, OSError and RuntimeError among them
        wrong = _in_words(where, redacted(str(error), secrets))
    raise wrong


def _in_words(where: str, said: str) -> InputError:
    """What a driver said, on one line, without the query that it repeats, and what to do about it."""
    text = re.split(r"\n+(?:Query was|query): ", said, maxsplit=1)[0]
    text = re.sub(r" '.*?': ERROR:", ": ERROR:", text, flags=re.DOTALL)
    text = re.sub(r"\n+LINE \d+: [^\n]*\n *\^", "", text)  # of the query as it was sent, not as it was written
    line = re.sub(r"\s+", " ", text).replace(" .", ".").strip(" .")[:LONGEST]
    printable = "".join(c if c.isprintable() else "?" for c in line) or "without a word"
    hint = next((hint for pattern, hint in _HINTS if re.search(pattern, line, re.IGNORECASE)), "mend the query")
    return InputError("E_DATABASE", f"{where}: {printable}; {hint}")
