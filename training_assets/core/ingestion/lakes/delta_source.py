"""Rows of a Delta table: one version of it whole, or what its commits appended since the version read last."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import polars as pl

from training_assets.core import fingerprint
from training_assets.core.errors import InputError
from training_assets.core.ingestion.content import content_digest
from training_assets.core.ingestion.deliveries import Delivery, Reader, SecretReader
from training_assets.core.ingestion.discovery import MAX_BYTES
from training_assets.core.ingestion.excerpt import excerpt
from training_assets.core.ingestion.lakes.delta_log import FOLDER, Commit, commits, is_inside
from training_assets.core.ingestion.lakes.object_store import SCHEME, Objects, open_store
from training_assets.core.ingestion.lakes.store_access import delta_options
from training_assets.core.ingestion.reading import typed_rows
from training_assets.spec import Delta, ModelSpec, ObjectStore

if TYPE_CHECKING:
    from deltalake import DeltaTable

T = TypeVar("T")
NONE = "is no Delta table; mend source.delta.path"
ANEW = "set source.delta.version to read one version whole, or retract what was read and start anew"


def open_delta(
    delta: Delta, store: ObjectStore | None, spec: ModelSpec, root: Path, secret: SecretReader | None
) -> Reader:
    """The table of a spec, looked at when it is read; raises InputError E_DELTA for a path that leads out of `root`."""
    if delta.path.startswith(SCHEME):
        options = delta_options(store or ObjectStore(), secret)
        return _Table(delta.path, delta.version, spec, delta.path, options, open_store(store, secret))
    whole = (root / delta.path).resolve()
    if "://" in delta.path or not (Path(delta.path).is_absolute() or whole.is_relative_to(root.resolve())):
        message = f"{excerpt(delta.path)} is no folder under {root}; write its whole path, or {SCHEME}bucket/folder"
        raise InputError("E_DELTA", message)
    return _Table(str(whole), delta.version, spec, delta.path)


@dataclass(frozen=True)
class _Table:
    """A position is the number of the version read last and the table's id, parted by a blank."""

    uri: str
    pinned: int | None
    spec: ModelSpec
    where: str
    options: dict[str, str] = field(default_factory=dict, repr=False)
    objects: Objects | None = field(default=None, repr=False)

    def news(self, position: str | None) -> str | None:
        if self.pinned is not None:
            return f"delta version {self.pinned}" if position is None else None
        newest = self._at(None)
        if position is None:
            return f"delta version {newest.version()}"
        done = [each for each in self._since(position, newest) if each.appended or each.takes_out]
        return f"delta version {done[-1].version}" if done else None

    def deliveries(self, position: str | None) -> Iterator[Delivery]:
        if self.pinned is not None:
            if position is None:
                yield from self._delivery(f"delta version {self.pinned}", self._whole(self._at(self.pinned)))
            return
        newest = self._at(None)
        if position is None:
            yield from self._delivery(f"delta version {newest.version()}", self._whole(newest))
            return
        since = self._since(position, newest)
        for each in since:
            if each.takes_out:
                why = f"had rows taken out or rewritten by version {each.version} ({excerpt(each.operation)}), after "
                why += f"version {position.partition(' ')[0]} was read; {ANEW}"
                raise self._refused(why)
        if any(each.appended for each in since):
            first, last = since[0].version, since[-1].version
            name = f"delta version {first}" if first == last else f"delta version {first} to {last}"
            for delivery in self._delivery(name, (newest, self._appended(since, newest))):
                # Rows that are appended twice arrived twice: commits are what tells them apart.
                yield replace(delivery, digest=fingerprint.digest([delivery.digest, delivery.position]))

    def _since(self, position: str, newest: DeltaTable) -> list[Commit]:
        """The commits after a position; refused where the table is another one than it was."""
        number, _, its_id = position.partition(" ")
        if newest.version() < int(number) or its_id != str(newest.metadata().id):
            why = f"is another table than the one whose version {number} was read last; {ANEW}"
            raise self._refused(why)
        versions = range(int(number) + 1, newest.version() + 1)
        return self._asked(lambda: commits(self._filesystem, versions, self.where))

    def _delivery(self, name: str, read: tuple[DeltaTable, pl.DataFrame]) -> Iterator[Delivery]:
        table, frame = read
        if frame.height:
            rows = typed_rows(frame, self.spec, f"{self.where}, {name}")
            position = f"{table.version()} {table.metadata().id}"
            yield Delivery(name, content_digest(rows), position, int(rows.estimated_size()), rows)

    def _whole(self, table: DeltaTable) -> tuple[DeltaTable, pl.DataFrame]:
        return table, self._asked(lambda: self._rows(table, None))

    def _appended(self, since: Sequence[Commit], newest: DeltaTable) -> pl.DataFrame:
        """The rows of appended files, each read in the newest version that still names it."""
        moved = {path: each.version for each in since for path in each.moved}
        by_version: dict[int, list[str]] = {}
        for path in (path for each in since for path in each.appended):
            by_version.setdefault(moved.get(path, newest.version() + 1) - 1, []).append(path)
        parts = [
            self._asked(lambda at=at, paths=paths: self._rows(self._at(at), paths))  # type: ignore[misc]
            for at, paths in sorted(by_version.items())
        ]
        return pl.concat(parts, how="diagonal_relaxed")

    def _rows(self, table: DeltaTable, paths: Sequence[str] | None) -> pl.DataFrame:
        """Rows of some files of a version (or all), in the order of paths."""
        import pyarrow.dataset as ds

        every = table.to_pyarrow_dataset(as_large_types=True)
        known = {fragment.path: fragment for fragment in every.get_fragments()}
        chosen = sorted(known) if paths is None else paths
        for path in chosen:
            if path not in known or not self._is_inside(path):
                what = "outside of its folder; copy the table whole" if path in known else "that it does not have"
                why = f"names {excerpt(path, 80)}, {what}"
                raise self._refused(why)
        wanted = [known[path] for path in chosen]
        size = sum(fragment.filesystem.get_file_info(fragment.path).size or 0 for fragment in wanted)
        if size > MAX_BYTES:
            message = f"{self.where} has {size:,} bytes of new rows; a batch has at most {MAX_BYTES:,}: make it smaller"
            raise InputError("E_SIZE", message)
        files = ds.FileSystemDataset(wanted, every.schema, every.format, self._filesystem)
        checked = ds.ParquetFragmentScanOptions(page_checksum_verification=True)
        return pl.DataFrame(files.to_table(fragment_scan_options=checked))

    def _is_inside(self, path: str) -> bool:
        if not is_inside(path) or self.objects is not None:
            return is_inside(path)
        return (Path(self.uri) / path).resolve().is_relative_to(self.uri)

    @cached_property
    def _filesystem(self) -> Any:
        from deltalake.fs.fs_handler import DeltaStorageHandler
        from pyarrow import fs

        return fs.PyFileSystem(DeltaStorageHandler(self.uri, self.options))

    def _at(self, version: int | None) -> DeltaTable:
        """The table at a version, or at its newest."""
        from deltalake import DeltaTable

        # The store's own client says sooner, and better, why a store cannot be read.
        if self.objects is not None and not self.objects.has_folder(f"{self.uri.rstrip('/')}/{FOLDER}"):
            raise self._refused(NONE)
        table = self._asked(lambda: DeltaTable(self.uri, storage_options=self.options))
        if version is None or version == table.version():
            return table
        if version > table.version():
            message = (
                f"{self.where} has no version {version}; its newest is {table.version()}: mend source.delta.version"
            )
            raise InputError("E_DELTA", message)
        return self._asked(lambda: DeltaTable(self.uri, version=version, storage_options=self.options))

    def _asked(self, ask: Callable[[], T]) -> T:
        """What the table answers; errors of its libraries are told in our words, without them in the chain."""
        import pyarrow as pa
        from deltalake.exceptions import DeltaError

        try:
            return ask()
        except (DeltaError, OSError, pa.ArrowException) as error:
            refusal = self._refusal(error)
        raise refusal

    def _refused(self, why: str) -> InputError:
        return InputError("E_DELTA", f"{self.where} {why}")

    def _refusal(self, error: BaseException) -> InputError:
        from deltalake.exceptions import DeltaProtocolError, TableNotFoundError

        if isinstance(error, TableNotFoundError):
            why = NONE
        elif isinstance(error, DeltaProtocolError):
            why = f"uses a feature that is not read ({_first_line(error)}); rewrite it without, or deliver files"
        elif isinstance(error, FileNotFoundError):
            why = f"has lost a data file (vacuumed, or removed by hand); restore it, or {ANEW}"
        elif isinstance(error, OSError) and self.objects is not None:
            why = "cannot be read from its store; see that the keys may read all of it"
        else:
            why = f"cannot be read ({_first_line(error)}); see whether {FOLDER} and its files are whole"
        return self._refused(why)


def _first_line(error: BaseException) -> str:
    return excerpt(next(iter(str(error).splitlines()), type(error).__name__), 200).strip("'")
