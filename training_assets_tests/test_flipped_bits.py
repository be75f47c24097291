"""Whatever a stage stands on is verified when it is read: one bit changed in any file is refused, by the file's name.

Elsewhere: the files of a version in MLflow are verified when it is fetched (see resources/test_packages); the ledger's
events carry a chain of hashes (see its tests). Outside of what counts: what else MLflow's folder holds is written for
people; dates, sizes and the writer's name in a table's log change no row.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import dagster as dg
import polars as pl
import pytest

from training_assets.core import artifact_format
from training_assets.core.errors import InputError
from training_assets_tests.core.ingestion.made_files import result_or_refusal
from training_assets_tests.workplace import MODEL, Workplace, customers, failures, workplace

POSITIONS = 5
Trained = tuple[Workplace, str]


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trained]:
    """A workplace with two batches, one of them with a broken row, a released version, and the run that made it."""
    with workplace(tmp_path_factory.mktemp("trained")) as place:
        place.land("2026-01.csv", customers(500, seed=1))
        first = pl.int_range(pl.len()) == 0
        place.land("2026-02.csv", customers(500, seed=2).with_columns(age=pl.when(first).then(500).otherwise("age")))
        run = place.train()
        assert run.success, failures(run)
        again = place.train()  # its results stand on the first run's
        assert again.success, failures(again)
        yield place, run.run_id


@contextmanager
def flipped(path: Path, position: int, bit: int) -> Iterator[None]:
    """The file with one bit changed, for a while."""
    sound = path.read_bytes()
    changed = bytearray(sound)
    changed[position] ^= 1 << bit
    path.write_bytes(changed)
    try:
        yield
    finally:
        path.write_bytes(sound)


def flips(path: Path) -> list[tuple[int, int]]:
    """Seeded places in a file: the first and the last byte among them."""
    chance = random.Random(path.name)  # noqa: S311 - not for secrets
    size = path.stat().st_size
    places = [0, size - 1, *(chance.randrange(size) for _ in range(POSITIONS - 2))]
    return [(place, chance.randrange(8)) for place in places]


def refused(path: Path, read: Callable[[], Any]) -> list[tuple[int, int]]:
    """The flips of a file that its reader took, or refused without its name; the file as it was is read."""
    taken = []
    for position, bit in flips(path):
        with flipped(path, position, bit):
            found = result_or_refusal(read)
        if not isinstance(found, InputError) or found.code != "E_HASH" or path.name not in found.text:
            taken.append((position, bit))
    read()
    return taken


def files(folder: Path, pattern: str) -> list[Path]:
    found = sorted(path for path in folder.rglob(pattern) if path.is_file())
    assert found
    return found


def test_every_file_of_every_artifact_is_verified(trained: Trained) -> None:
    place, _ = trained
    artifacts: Any = (place.definitions().resources or {})["artifacts"]
    seen: set[Path] = set()
    for manifest in files(place.places.artifacts, artifact_format.MANIFEST):
        folder = manifest.parent
        run = folder.parent.name
        for path in files(folder, "*"):
            seen.add(path)

            def read() -> None:
                artifacts.of_run(MODEL, run, folder.name).artifact.verified_folder()  # noqa: B023 - read at once

            assert refused(path, read) == [], path
    others = set(files(place.places.artifacts, "*")) - seen
    assert others
    assert {path.suffix for path in others} == {".json"}
    for path in sorted(others):
        assert refused(path, lambda: artifact_format.unsealed(path)) == [], path  # noqa: B023 - read at once


def test_every_data_file_of_every_table_is_verified(trained: Trained) -> None:
    place, _ = trained
    tables = place.places.tables
    names = {folder.name for folder in (place.places.home / "tables" / MODEL).iterdir()}
    assert {name.rsplit("-", 1)[0] for name in names} == {"raw_data", "validated_data", "quarantined_rows"}
    for name in sorted(names):
        batches = tables.batches(MODEL, name)
        for path in files(tables.path(MODEL, name), "*.parquet"):
            assert refused(path, lambda: tables.read(MODEL, name, batches)) == [], path  # noqa: B023 - read at once


# Which file of which input each stage reads.
STAGES = [
    (("validated_data", "quarantined_rows"), "tables/churn/raw_data-*/**/*.parquet"),
    (("feature_table",), "tables/churn/validated_data-*/**/*.parquet"),
    (("train_split", "validation_split", "test_split"), "feature_table/rows.parquet"),
    (("preprocessor",), "train_split/rows.parquet"),
    (("encoded_features",), "preprocessor/preprocessor.json"),
    (("encoded_features",), "test_split/rows.parquet"),
    (("tuned_model",), "encoded_features/train.parquet"),
    (("evaluation_report",), "tuned_model/scorer/model.json"),
    (("evaluation_report",), "encoded_features/test.parquet"),
    (("registered_version",), "tuned_model/scorer/*.json"),
    (("feature_table",), "validated_data/manifest.json"),
]


@pytest.fixture(scope="module")
def read_by_stages(trained: Trained) -> dict[str, Path]:
    """The file of each pattern, as the first run left them: what stages are made to do here adds others."""
    place, run = trained
    folder = place.places.artifacts / MODEL / run
    return {
        pattern: min((place.places.home if pattern.startswith("tables") else folder).glob(pattern))
        for _, pattern in STAGES
    }


@pytest.mark.parametrize(("stage", "pattern"), STAGES, ids=lambda part: part if isinstance(part, str) else part[0])
def test_a_stage_refuses_what_it_reads_by_name(
    trained: Trained, read_by_stages: dict[str, Path], stage: tuple[str, ...], pattern: str
) -> None:
    place, _ = trained
    path = read_by_stages[pattern]
    position, bit = flips(path)[2]
    with flipped(path, position, bit):
        result = made_anew(place, *stage)
    assert not result.success
    said = str(failures(result))
    assert "E_HASH" in said
    assert path.name in said
    assert place.versions() == ["1"]


def made_anew(place: Workplace, *assets: str) -> dg.ExecuteInProcessResult:
    """A run of these assets that does their work again."""
    if "validated_data" in assets:
        # What was sorted once is not read again, but under other rules.
        place = place.with_spec(validation={"max_quarantined": 0.02})
    return (
        place.definitions()
        .resolve_implicit_global_asset_job_def()
        .execute_in_process(
            asset_selection=[dg.AssetKey([MODEL, asset]) for asset in assets],
            instance=place.instance,
            run_config={
                "resources": {"artifacts": {"config": {"force": True}}},
                "loggers": {"console": {"config": {"log_level": "CRITICAL"}}},
            },
            raise_on_error=False,
        )
    )
