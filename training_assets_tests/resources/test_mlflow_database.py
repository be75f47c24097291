"""MLflow's database is whole or not there, wherever its making is cut short."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from training_assets.resources.mlflow_database import make_database
from training_assets.resources.places import Places

MAKE = """
import resource, sys
from pathlib import Path
from training_assets.resources.mlflow_database import make_database
from training_assets.resources.places import Places
import mlflow
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), resource.RLIM_INFINITY))
make_database(Places(Path(sys.argv[1]), Path(sys.argv[1])))
"""


@pytest.mark.slow
@pytest.mark.parametrize("most_bytes", [20_000, 300_000])
def test_where_there_is_no_room_for_it_none_is_left_and_the_next_one_is_whole(tmp_path: Path, most_bytes: int) -> None:
    command = [sys.executable, "-c", MAKE, str(tmp_path), str(most_bytes)]
    cut_short = subprocess.run(command, capture_output=True, text=True, check=False)
    assert cut_short.returncode != 0
    assert "disk" in cut_short.stderr
    places = Places(tmp_path, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["locks"]
    make_database(places)
    from mlflow import MlflowClient

    client = MlflowClient(tracking_uri=places.mlflow_uri, registry_uri=places.mlflow_uri)
    assert [each.name for each in client.search_experiments()] == ["Default"]
    made = places.mlflow_database.stat().st_mtime_ns
    make_database(places)
    assert places.mlflow_database.stat().st_mtime_ns == made
