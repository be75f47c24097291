"""A signature holds for the very files and the key; without a key nothing is asked."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from training_assets.core.errors import InputError
from training_assets.resources.signing import PUBLIC_KEY, SIGNATURE, SIGNING_KEY, require_signature, sign

pytest.importorskip("model_signing", reason="the extra `signing` is not installed")


def keys(folder: Path, name: str) -> tuple[Path, Path]:
    private = ec.generate_private_key(ec.SECP256R1())
    secret, public = folder / f"{name}.pem", folder / f"{name}.pub"
    secret.write_bytes(
        private.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    public.write_bytes(
        private.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    )
    return secret, public


@pytest.fixture
def package(tmp_path: Path) -> Path:
    folder = tmp_path / "package"
    (folder / "scorer").mkdir(parents=True)
    (folder / "scorer" / "model.json").write_text("{}")
    (folder / "bundle.json").write_text("{}")
    return folder


def test_without_keys_nothing_is_signed_or_asked(package: Path, tmp_path: Path) -> None:
    assert not sign(package, tmp_path / SIGNATURE)
    assert not require_signature(package, tmp_path / SIGNATURE)


def test_a_signature_holds_until_a_byte_changes(package: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    secret, public = keys(tmp_path, "ours")
    monkeypatch.setenv(SIGNING_KEY, str(secret))
    monkeypatch.setenv(PUBLIC_KEY, str(public))
    assert sign(package, tmp_path / SIGNATURE)
    assert require_signature(package, tmp_path / SIGNATURE)
    for change in ("changed", "added"):
        file = package / ("bundle.json" if change == "changed" else "planted.pkl")
        before = file.read_text() if file.exists() else None
        file.write_text("planted")
        with pytest.raises(InputError, match="E_SIGNATURE"):
            require_signature(package, tmp_path / SIGNATURE)
        file.unlink() if before is None else file.write_text(before)
    assert require_signature(package, tmp_path / SIGNATURE)


def test_another_key_or_no_signature_is_refused(package: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    secret, _ = keys(tmp_path, "ours")
    _, theirs = keys(tmp_path, "theirs")
    monkeypatch.setenv(PUBLIC_KEY, str(theirs))
    with pytest.raises(InputError, match="carries no signature"):
        require_signature(package, tmp_path / SIGNATURE)
    monkeypatch.setenv(SIGNING_KEY, str(secret))
    sign(package, tmp_path / SIGNATURE)
    with pytest.raises(InputError, match="does not hold"):
        require_signature(package, tmp_path / SIGNATURE)


def test_a_key_that_cannot_sign_is_named_without_its_text(
    package: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "bad.pem").write_text("s3cret-planted")
    monkeypatch.setenv(SIGNING_KEY, str(tmp_path / "bad.pem"))
    with pytest.raises(InputError, match=SIGNING_KEY) as refused:
        sign(package, tmp_path / SIGNATURE)
    assert "s3cret-planted" not in str(refused.value)
