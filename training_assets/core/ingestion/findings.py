"""Whether the files of a source could be read."""

from __future__ import annotations

from collections.abc import Sequence

from training_assets.core.validation.findings import Finding

MOST = 20


def files_are_readable(batches: int, refused: Sequence[dict[str, str]]) -> Finding:
    """Blocks while any file is refused: a file that is left out in silence is a hole in the data."""
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
