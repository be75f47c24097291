"""Whether a file's columns are the spec's, in any order; the difference, exactly, where they are not."""

from __future__ import annotations

from collections.abc import Sequence

from training_assets.core.errors import InputError
from training_assets.core.ingestion.excerpt import listed, nearest


def same_columns(names: Sequence[str], wanted: Sequence[str], where: str) -> None:
    """Refuse (InputError E_SCHEMA) names that are not the wanted ones, in any order, with what is missing and extra."""
    missing = [name for name in wanted if name not in set(names)]
    extra = [name for name in names if name not in set(wanted)]
    if not missing and not extra:
        return
    parts = []
    if missing:
        parts.append(f"missing: {listed(missing)}{nearest(missing[0], extra)}")
    if extra:
        parts.append(f"not in the spec: {listed(extra)}{nearest(extra[0], wanted)}")
    message = (
        f"{where}: other columns than the spec's; {'; '.join(parts)}. Mend the file, or change `columns` in the spec"
    )
    raise InputError("E_SCHEMA", message)
