"""Files of formats that native libraries unpack are read in a child process: what breaks there breaks no run."""

from __future__ import annotations

import atexit
import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import polars as pl

from training_assets.core.errors import InputError
from training_assets.core.ingestion.frames import Pipe, decoded, receive, send
from training_assets.spec import ModelSpec, Source

PROJECT = Path(__file__).resolve().parents[3]
COMMAND = (sys.executable, "-m", "training_assets.core.ingestion.reading_process")
# What a file needs whatever its size; and bytes a byte: packed columns, rows as read, as cast, and as sent.
MEMORY_BYTES = 1 << 32
UNPACKED = 32
SHARE_OF_MACHINE = 0.75
# Slower than the slowest reader (of workbooks) on a busy machine, so that only a hang takes longer.
SECONDS = 60.0
BYTES_A_SECOND = 1_000_000
PIPE_BYTES = 1 << 20
ATTEMPTS = 2
OUT_OF_MEMORY = (b"memory allocation of", b"bad_alloc", b"Cannot allocate memory", b"MemoryError")
SAID_LAST = 4096


@dataclass(frozen=True)
class Limits:
    """What the reading of one file may take, beside what its size explains."""

    memory: int = MEMORY_BYTES
    seconds: float = SECONDS

    def of(self, size: int) -> Limits:
        """The limits for a file of so many bytes, on this machine."""
        machine = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
        memory = min(self.memory + UNPACKED * size, int(SHARE_OF_MACHINE * machine))
        return Limits(memory, self.seconds + size / BYTES_A_SECOND)


@dataclass(frozen=True)
class Answer:
    """What came of one request: rows as an Arrow stream, or a code and a text; `died` where the child said nothing."""

    code: str | None
    text: str = ""
    content: bytes | bytearray = b""
    died: bool = False


class _Child:
    """One reading process: it answers requests, one at a time, or is dead."""

    def __init__(self) -> None:
        self.owner = os.getpid()
        self.answered = False
        self._said = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the child
        self.process = subprocess.Popen(  # noqa: S603 - a fixed command
            COMMAND,
            bufsize=0,
            pipesize=PIPE_BYTES,
            cwd=PROJECT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._said,
        )

    def ask(self, request: Mapping[str, Any], data: bytes, seconds: float) -> Answer:
        """Send a file and wait for its rows, so many seconds at most."""
        late = threading.Event()

        def end() -> None:
            late.set()
            self.process.kill()

        timer = threading.Timer(seconds, end)
        timer.daemon = True
        timer.start()
        try:
            send(cast("Pipe", self.process.stdin), request, data)
            header, content = receive(cast("Pipe", self.process.stdout))
        except (BrokenPipeError, EOFError):
            self.process.wait()
        else:
            self.answered = True
            return Answer(header.get("code"), header.get("text", ""), content)
        finally:
            timer.cancel()
        return self._last_words(seconds, late=late.is_set())

    def close(self) -> None:
        """End the process and wait for its end."""
        self.process.kill()
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                pipe.close()
        self.process.wait()
        self._said.close()

    def _last_words(self, seconds: float, *, late: bool) -> Answer:
        """Why the process ended, from its signal and what it wrote last."""
        status = self.process.returncode
        if late or status == -signal.SIGALRM:
            text = f"was not read after {seconds:,.0f} seconds; split it, or write it anew"
            return Answer("E_TIMEOUT", text)
        self._said.seek(max(0, self._said.seek(0, os.SEEK_END) - SAID_LAST))
        said = self._said.read()
        name = signal.Signals(-status).name if status < 0 else f"status {status}"
        if status == -signal.SIGKILL or any(words in said for words in OUT_OF_MEMORY):
            return Answer("E_MEMORY", f" ({name})", died=True)
        return Answer("E_CORRUPT", f"the process that read it ended ({name})", died=True)


@dataclass
class GuardedReader:
    """Reads with one child for many files, started on first use and anew after it died; safe among threads."""

    limits: Limits = field(default_factory=Limits)
    _child: _Child | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def rows(
        self, data: bytes, spec: ModelSpec, where: str, partition: Mapping[str, str | None] | None = None
    ) -> pl.DataFrame:
        """What `read_rows` returns and raises; InputError E_MEMORY, E_TIMEOUT or E_CORRUPT where the child is lost."""
        limits = self.limits.of(len(data))
        request = {
            "spec": spec.model_dump(mode="json"),
            "where": where,
            "partition": dict(partition or {}),
            "memory": limits.memory,
            "seconds": limits.seconds,
        }
        with self._lock:
            answer = self._answer(request, data, limits.seconds)
        if answer.code is None:
            return decoded(answer.content)
        raise _refusal(answer, where, limits.memory)

    @property
    def process(self) -> int | None:
        """Id of the child, where there is one."""
        return None if self._child is None else self._child.process.pid

    def close(self) -> None:
        """End the child; the next file gets another."""
        with self._lock:
            self._close()

    def _answer(self, request: Mapping[str, Any], data: bytes, seconds: float) -> Answer:
        """The child's answer; a fresh child is asked once more where the first may have failed for another's fault."""
        for attempt in range(1, ATTEMPTS + 1):
            child = self._running()
            used = child.answered
            answer = child.ask(request, data, seconds)
            failed = answer.died or answer.code in {"E_MEMORY", "E_TIMEOUT"}
            if failed:
                self._close()
            # Whoever killed it may not do so again; and what it had read before may be what filled its memory.
            again = answer.died or (answer.code == "E_MEMORY" and used)
            if not again or attempt == ATTEMPTS:
                break
        return answer

    def _running(self) -> _Child:
        child = self._child
        # A forked process must not speak through its parent's pipes; one that rested has ended itself.
        if child is not None and (child.owner != os.getpid() or child.process.poll() is not None):
            self._close()
        if self._child is None:
            self._child = _Child()
        return self._child

    def _close(self) -> None:
        if self._child is not None and self._child.owner == os.getpid():
            self._child.close()
        self._child = None


_READER = GuardedReader()
atexit.register(_READER.close)


def needs_guard(source: Source) -> bool:
    """Whether a source's files may unpack to more than they are; plain text is scanned in the process itself."""
    return source.format in {"parquet", "arrow", "excel"} or source.compression is not None


def guarded_rows(
    data: bytes, spec: ModelSpec, where: str, partition: Mapping[str, str | None] | None = None
) -> pl.DataFrame:
    """`GuardedReader.rows` of the one reader of this process."""
    return _READER.rows(data, spec, where, partition)


def _refusal(answer: Answer, where: str, memory: int) -> InputError:
    """The child's refusal as it stands, or what its end means for the file."""
    text = answer.text
    if answer.code == "E_MEMORY":
        text = (
            f"{where} takes more than {memory // (1 << 20):,} MiB of memory to read{text}; split it, or deliver it "
            "again if it should be small"
        )
    elif answer.code == "E_TIMEOUT":
        text = f"{where} {text}"
    elif answer.died:
        text = f"{where} is damaged, or written in a way that its reader cannot bear: {text}; write it anew"
    return InputError(str(answer.code), text)
