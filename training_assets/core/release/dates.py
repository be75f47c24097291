"""Moments as people write them."""

from __future__ import annotations

from datetime import UTC, datetime

from training_assets.core.errors import InputError


def moment(text: str) -> datetime:
    """An ISO date or time; without an offset it is UTC. Raises InputError E_TIME for anything else."""
    try:
        found = datetime.fromisoformat(text.strip())
    except ValueError as error:
        message = f"{text[:40]!r} is no date; write 2026-12-31 or 2026-12-31T18:00, in UTC unless it ends in an offset"
        raise InputError("E_TIME", message) from error
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)
