"""Signatures of packages by model-signing (OpenSSF), where a key is given; https://github.com/sigstore/model-transparency."""

from __future__ import annotations

import importlib
import os
from pathlib import Path
from typing import Any

from training_assets.core.errors import InputError

SIGNING_KEY, PUBLIC_KEY = "TRAINING_ASSETS_SIGNING_KEY", "TRAINING_ASSETS_PUBLIC_KEY"
"""Variables that name files: a private key in PEM (elliptic curve) signs, its public key verifies."""
SIGNATURE = "package.sig"


def sign(package: Path, signature: Path) -> bool:
    """Sign a folder where a key is given; whether it was. InputError E_SIGNATURE for a key that cannot be used."""
    key = os.environ.get(SIGNING_KEY)
    if not key:
        return False
    config = _model_signing("signing").Config()
    try:
        config.use_elliptic_key_signer(private_key=key).sign(package, signature)
    except (OSError, ValueError, TypeError) as error:
        message = (
            f"{SIGNING_KEY} names no private key that can sign: {type(error).__name__}; give a PEM file (prime256v1)"
        )
        raise InputError("E_SIGNATURE", message) from error
    return True


def require_signature(package: Path, signature: Path) -> bool:
    """Verify a folder where a public key is given; whether it was.

    Raises InputError E_SIGNATURE where the signature is missing, by another key, or not of these very files.
    """
    key = os.environ.get(PUBLIC_KEY)
    if not key:
        return False
    if not signature.is_file():
        raise InputError("E_SIGNATURE", f"the version carries no signature, and {PUBLIC_KEY} asks for one")
    verifying = _model_signing("verifying")
    try:
        verifying.Config().use_elliptic_key_verifier(public_key=key).verify(package, signature)
    except Exception as error:
        message = f"the version's signature does not hold for its files and the key of {PUBLIC_KEY}: {error}"
        raise InputError("E_SIGNATURE", message[:500]) from error
    return True


def _model_signing(module: str) -> Any:
    try:
        return importlib.import_module(f"model_signing.{module}")
    except ImportError as error:
        message = "signing needs the extra `signing`: pip install 'training_assets[signing]'"
        raise InputError("E_SIGNATURE", message) from error
