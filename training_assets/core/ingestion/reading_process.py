"""Run as a module: the child that reads files for `guarded`, under limits of memory and time, until nobody asks.

A file that makes a native library abort, crash, hang or take all memory ends this process, and no other.
"""

from __future__ import annotations

import io
import os
import resource
import select
import signal
from pathlib import Path
from typing import Any

STATM = Path("/proc/self/statm")
THREADS = 2
# What the system says to a thread whose stack finds no room.
NO_THREAD = "Resource temporarily unavailable"
IDLE_SECONDS = 30


def main() -> None:
    """Answer requests from standard input until it closes or rests; what libraries print goes to standard error."""
    requests, answers = os.fdopen(0, "rb", buffering=0), os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    # Each thread costs address space, which the limit counts; Polars asks the C library, not Python, for its setting.
    os.putenv("POLARS_MAX_THREADS", str(THREADS))
    from training_assets.core.ingestion.frames import receive, send

    _warm()
    while select.select([requests], [], [], IDLE_SECONDS)[0]:
        try:
            request, data = receive(requests)
            send(answers, *answer(request, bytes(data)))
        except (EOFError, BrokenPipeError):
            return
        del data


def _warm() -> None:
    """Load what reading needs and start its threads before memory is limited, so that the limit is the file's alone."""
    import polars as pl
    import pyarrow as pa
    import pyarrow.parquet as pq

    from training_assets.core.ingestion import reading  # noqa: F401

    pa.set_cpu_count(THREADS)
    pa.set_io_thread_count(THREADS)
    rows, file = pl.DataFrame({name: [1, 2] for name in "abcd"}), io.BytesIO()
    rows.sort("a").select(pl.all().cast(pl.String)).write_parquet(file)
    with pq.ParquetFile(pa.BufferReader(file.getvalue())) as opened:
        opened.read()


def answer(request: dict[str, Any], data: bytes) -> tuple[dict[str, Any], bytes | memoryview]:
    """The rows as an Arrow stream, or the code and text of a refusal."""
    from training_assets.core.errors import InputError
    from training_assets.core.ingestion.excerpt import excerpt
    from training_assets.core.ingestion.frames import encoded
    from training_assets.core.ingestion.reading import read_rows
    from training_assets.spec import ModelSpec

    where = str(request["where"])
    spec = ModelSpec.model_validate(request["spec"])
    # Should nobody be left to end a read that hangs, it ends itself.
    signal.alarm(int(request["seconds"]) + 2)
    _limit_memory(int(request["memory"]))
    try:
        return {}, encoded(read_rows(data, spec, where, request["partition"]))
    except InputError as error:
        # What a library cannot do for want of memory, a reader may have taken for damage.
        return ({"code": "E_MEMORY"} if _wants_memory(error) else {"code": error.code, "text": error.text}), b""
    except MemoryError:
        return {"code": "E_MEMORY"}, b""
    except BaseException as error:  # noqa: BLE001 - a panic of Polars is no Exception; whatever it is, it is answered
        if NO_THREAD in str(error):
            return {"code": "E_MEMORY"}, b""
        said = excerpt(str(error), 200)
        text = f"{where} makes its reader fail ({type(error).__name__}: {said}); write it anew, or in another format"
        return {"code": "E_CORRUPT", "text": text}, b""
    finally:
        signal.alarm(0)
        resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))


def _wants_memory(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, MemoryError):
            return True
        error = error.__cause__ or error.__context__
    return False


def _limit_memory(more: int) -> None:
    """Let this process have so many bytes beside those that it has now; on Linux, which alone keeps to it."""
    if not STATM.exists():
        return
    now = int(STATM.read_text(encoding="ascii").split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (now + more, resource.RLIM_INFINITY))


if __name__ == "__main__":
    main()
    # Arrow's threads, if they have just started, turn an orderly exit into an abort; there is nothing to tidy up.
    os._exit(0)
