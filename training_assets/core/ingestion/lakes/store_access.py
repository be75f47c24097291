"""How an S3-compatible store is reached: its keys, its time limits, and its refusals in words without secrets."""

from __future__ import annotations

import re
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from training_assets.core.errors import InputError
from training_assets.core.ingestion.deliveries import SecretReader
from training_assets.core.ingestion.excerpt import excerpt
from training_assets.spec import ObjectStore

# A dead endpoint is said within seconds: a sensor looks again at its next tick.
CONNECT_SECONDS = 3
REQUEST_SECONDS = 10
ATTEMPTS = 2
# deltalake's limit is for a request with all of its bytes.
WHOLE_SECONDS = 600
# What S3-compatible servers of one's own expect where none is given.
ANY_REGION = "us-east-1"
NO_BUCKET = "there is no such bucket; mend the path, or create the bucket"
_REASONS = {
    "NETWORK_CONNECTION": "the server cannot be reached; see that it runs, and mend source.store.endpoint",
    "REQUEST_TIMEOUT": "the server does not answer in time; see that it runs",
    "NO_SUCH_BUCKET": NO_BUCKET,
    "ACCESS_DENIED": "access is denied; mend source.store's keys, or grant them reading and listing",
    "SIGNATURE_DOES_NOT_MATCH": "the secret key is not that of the access key; mend source.store.secret_key",
    "INVALID_ACCESS_KEY_ID": "the access key is unknown; mend source.store.access_key",
    "INVALID_CLIENT_TOKEN_ID": "the keys or their token are unknown; mend source.store's keys",
    "EXPIRED_TOKEN": "the session token has expired; renew source.store.session_token",
}


class Keys(NamedTuple):
    """The resolved credentials of a store; none where the environment's own are used."""

    access_key: str | None
    secret_key: str | None
    session_token: str | None


def s3_filesystem(store: ObjectStore, secret: SecretReader | None) -> Any:
    """Arrow's file system of a store; raises InputError E_SECRET where its keys cannot be read."""
    from pyarrow import fs

    keys = keys_of(store, secret)
    endpoint = urlsplit(store.endpoint) if store.endpoint else None
    return fs.S3FileSystem(
        access_key=keys.access_key,
        secret_key=keys.secret_key,
        session_token=keys.session_token,
        endpoint_override=endpoint.netloc if endpoint else None,
        scheme=endpoint.scheme if endpoint else "https",
        region=store.region or (ANY_REGION if endpoint else None),
        connect_timeout=CONNECT_SECONDS,
        request_timeout=REQUEST_SECONDS,
        retry_strategy=fs.AwsStandardS3RetryStrategy(max_attempts=ATTEMPTS),
    )


def delta_options(store: ObjectStore, secret: SecretReader | None) -> dict[str, str]:
    """The same store as deltalake's `storage_options`; to be kept out of every message."""
    keys = keys_of(store, secret)
    options = {
        "AWS_ACCESS_KEY_ID": keys.access_key,
        "AWS_SECRET_ACCESS_KEY": keys.secret_key,
        "AWS_SESSION_TOKEN": keys.session_token,
        "AWS_ENDPOINT_URL": store.endpoint,
        "AWS_REGION": store.region or (ANY_REGION if store.endpoint else None),
        "AWS_ALLOW_HTTP": "true" if (store.endpoint or "").startswith("http://") else None,
        "connect_timeout": f"{CONNECT_SECONDS}s",
        "timeout": f"{WHOLE_SECONDS}s",
        "max_retries": str(ATTEMPTS - 1),
        "retry_timeout": f"{REQUEST_SECONDS}s",
    }
    return {name: value for name, value in options.items() if value}


def keys_of(store: ObjectStore, secret: SecretReader | None) -> Keys:
    """The credentials that a spec refers to; raises InputError E_SECRET where they cannot be read."""
    references = (store.access_key, store.secret_key, store.session_token)
    if secret is None and any(references):
        message = "source.store names keys, and nothing here reads secrets; run the model's job instead"
        raise InputError("E_SECRET", message)
    return Keys(*(secret(each) if each and secret else None for each in references))


def store_error(where: str, text: str) -> InputError:
    """E_STORE for what a client of the store said: by its kind, never in its words."""
    kind = re.search(r"AWS Error ([A-Z_]+)", text)
    name = kind.group(1) if kind else ""
    reason = _REASONS.get(name) or f"the store refuses ({name or 'unknown error'}); see its log, and mend source.store"
    return InputError("E_STORE", f"{excerpt(where, 200)}: {reason}")
