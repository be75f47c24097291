"""How two processes talk through pipes: a JSON header and bytes, each after its length; nothing that could be code."""

from __future__ import annotations

import io
import json
import struct
from collections.abc import Mapping
from typing import Any, Protocol

import polars as pl

LENGTHS = struct.Struct("<QQ")


class Pipe(Protocol):
    """An unbuffered end of a pipe."""

    def readinto(self, buffer: memoryview, /) -> int | None:
        """Read what there is; 0 where the other end is closed."""
        ...

    def write(self, data: memoryview, /) -> int | None:
        """Write what fits, and say how much that was."""
        ...


def send(pipe: Pipe, header: Mapping[str, Any], content: bytes | memoryview = b"") -> None:
    """Write one frame, whole; raises BrokenPipeError where the other end is gone."""
    head = json.dumps(header).encode()
    for part in (LENGTHS.pack(len(head), len(content)) + head, content):
        left = memoryview(part)
        while left:
            left = left[pipe.write(left) or 0 :]


def receive(pipe: Pipe) -> tuple[dict[str, Any], bytearray]:
    """Read one frame, whole; raises EOFError where the other end is gone before its end."""
    head, content = LENGTHS.unpack(_exactly(pipe, LENGTHS.size))
    return json.loads(_exactly(pipe, head)), _exactly(pipe, content)


def encoded(rows: pl.DataFrame) -> memoryview:
    """Rows as an Arrow stream that keeps every type of theirs."""
    stream = io.BytesIO()
    rows.write_ipc_stream(stream)
    return stream.getbuffer()


def decoded(content: bytes | bytearray) -> pl.DataFrame:
    """The rows of `encoded`."""
    return pl.read_ipc_stream(io.BytesIO(content))


def _exactly(pipe: Pipe, size: int) -> bytearray:
    data = bytearray(size)
    left = memoryview(data)
    while left:
        count = pipe.readinto(left)
        if not count:
            raise EOFError
        left = left[count:]
    return data
