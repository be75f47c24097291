"""How often each level of a category occurs: exact while levels are few, the frequent ones beyond."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from datasketches import frequent_strings_sketch

LOG_SIZE = 10
"""Of the frequent-items sketch: exact up to 768 levels; beyond, a count is within 0.35 % of all rows."""
LONGEST = 80


@dataclass(frozen=True)
class Levels:
    """Counts of n levels, as the bytes of a frequent-items sketch."""

    n: int
    sketch: bytes

    @classmethod
    def of(cls, counts: Iterable[tuple[str, int]]) -> Levels:
        """The levels with their counts; a long text is shortened to its start and a digest of the whole."""
        from datasketches import frequent_strings_sketch

        made = frequent_strings_sketch(LOG_SIZE)
        for level, count in sorted(counts, key=lambda item: (-item[1], item[0])):
            made.update(shortened(level), count)
        return cls._of(made)

    @classmethod
    def _of(cls, made: frequent_strings_sketch) -> Levels:
        return cls(int(made.total_weight), bytes(made.serialize()))

    @cached_property
    def error(self) -> int:
        """Rows by which a count may be too high; 0 while every level is counted."""
        return int(self._sketch().get_upper_bound("\0 never a level \0"))

    @cached_property
    def counts(self) -> dict[str, int]:
        """Rows of each level that is certain to be frequent, most first, the smaller text first among equals."""
        from datasketches import frequent_items_error_type

        sure = self._sketch().get_frequent_items(frequent_items_error_type.NO_FALSE_POSITIVES, self.error)
        found = sorted(((str(line[0]), int(line[1])) for line in sure), key=lambda item: (-item[1], item[0]))
        return dict(found)

    def merged(self, other: Levels) -> Levels:
        """The levels of both sets of rows together."""
        made = self._sketch()
        made.merge(other._sketch())
        return self._of(made)

    def to_json(self) -> dict[str, Any]:
        """The levels as JSON values, the sketch in base64."""
        return {"n": self.n, "frequent": base64.b64encode(self.sketch).decode()}

    @classmethod
    def from_json(cls, line: Mapping[str, Any]) -> Levels:
        """The levels that `to_json` wrote."""
        return cls(line["n"], base64.b64decode(line["frequent"]))

    def _sketch(self) -> frequent_strings_sketch:
        from datasketches import frequent_strings_sketch

        return frequent_strings_sketch.deserialize(self.sketch)


def shortened(level: str) -> str:
    """A level of at most 80 characters; two long texts with the same start stay apart."""
    if len(level) <= LONGEST:
        return level
    digest = hashlib.sha256(level.encode()).hexdigest()[:12]
    return f"{level[: LONGEST - 13]}#{digest}"
