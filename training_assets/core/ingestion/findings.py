"""Whether the files of a source could be read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from training_assets.core.validation.findings import Finding

MOST = 20


def files_are_readable(batches: int, refused: Sequence[dict[str, str]], left_behind: Sequence[str]) -> Finding:
    """Blocks while any file is refused: a file that is left out in silence is a hole in the data.

    Warns about batches that an earlier spec read, and that are not there to be read as the present one says.
    """
    if left_behind and not refused:
        text = (
            f"{len(left_behind)} batch(es) read under an earlier spec are left out, because their files are gone: "
            f"{', '.join(left_behind[:5])}; put them back to have their rows"
        )
        gone: list[dict[str, Any]] = [{"file": name} for name in left_behind[:MOST]]
        return Finding("files_are_readable", False, "warn", text, {"batches": batches, "left_behind": gone})
    if not refused:
        return Finding(
            "files_are_readable", True, "block", f"all files were read: {batches} batches", {"batches": batches}
        )
    first = refused[0]
    text = (
        f"{len(refused)} file(s) refused; first: {first['reason']}. Mend the file or the spec, or move the file away; "
        "the batches read before stay as they are"
    )
    return Finding("files_are_readable", False, "block", text, {"batches": batches, "refused": list(refused[:MOST])})
