"""Memory that was freed goes back to the system, which the C library would keep for itself."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from functools import cache


def give_back() -> None:
    """Give back what is free, in some milliseconds; where the C library is not GNU's, do nothing.

    Building a view takes many times what the view does, in blocks that the library keeps, at worst beside the next ones
    that another thread takes: measured on 300,000 rows, 2.6 times the memory that was in use.
    """
    if (trim := _trim()) is not None:
        trim(0)


@cache
def _trim() -> Callable[[int], int] | None:
    return getattr(ctypes.CDLL(None), "malloc_trim", None)
