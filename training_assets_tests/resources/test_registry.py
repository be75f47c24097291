"""A version in the registry reads every kind of feature as training did, from pandas and from JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from training_assets.core.families import FAMILIES, Data
from training_assets.core.families.base import Learning
from training_assets.core.parity import largest_difference
from training_assets.core.scoring import Scorer, table
from training_assets.governance.packaging import bundled_code
from training_assets.resources.registry import Registry
from training_assets.serving import PACKAGE, SCORER
from training_assets_tests.core.encoding.mixed_rows import KINDS, fitted, mixed


@pytest.fixture
def mlflow(tmp_path: Path) -> Iterator[Any]:
    """MLflow with a store of its own."""
    import mlflow

    before = mlflow.get_tracking_uri()
    mlflow.set_tracking_uri(f"sqlite:///{tmp_path}/mlflow.db")
    mlflow.set_experiment(experiment_id=mlflow.create_experiment("made", artifact_location=(tmp_path / "a").as_uri()))
    yield mlflow
    mlflow.set_tracking_uri(before)


def scorer() -> Scorer:
    preprocessor = fitted()
    train = Data.of(preprocessor.encode_training(mixed()), preprocessor.layout)
    model = FAMILIES["linear"].fit(
        {},
        train,
        None,
        learning=Learning("log_loss"),
        threads=1,
        seed=0,
        max_iterations=20,
        patience=1,
        stop=lambda _made, _loss: False,
    )
    return Scorer(preprocessor, model, None)


def test_a_version_scores_numbers_texts_and_dates_as_training_did(mlflow: Any, tmp_path: Path) -> None:
    from mlflow.pyfunc.scoring_server import infer_and_parse_data

    made, rows = scorer(), mixed(seed=1).select(*KINDS)
    made.save(tmp_path / "model" / PACKAGE / SCORER)
    code = bundled_code(tmp_path / "code")
    with mlflow.start_run():
        registry = Registry(mlflow.get_tracking_uri())
        version = registry.register(mlflow, "made", tmp_path / "model", code, rows, {"candidate": "c"}, "*made*")
    served = mlflow.pyfunc.load_model(f"models:/made/{version}")
    schema = served.metadata.get_input_schema()
    kinds = {"numeric": "double", "categorical": "string", "date": "datetime"}
    assert {each.name: each.type.name for each in schema.inputs} == {name: kinds[each] for name, each in KINDS.items()}
    assert largest_difference(table(made, rows), pl.from_pandas(served.predict(rows.to_pandas()))) == 0

    posted = json.loads(rows.head(20).write_json())
    parsed = infer_and_parse_data({"dataframe_records": posted}, schema)
    assert largest_difference(table(made, rows.head(20)), pl.from_pandas(served.predict(parsed))) == 0


def test_a_registry_that_was_emptied_gives_no_number_a_second_time(mlflow: Any, tmp_path: Path) -> None:
    registry, client = Registry(mlflow.get_tracking_uri()), mlflow.MlflowClient()
    (tmp_path / "code").mkdir()
    scorer().save(tmp_path / "model" / PACKAGE / SCORER)
    files, rows = (tmp_path / "model", tmp_path / "code"), mixed(seed=1).select(*KINDS)

    def registered(candidate: str, *taken: str) -> str:
        tags = {"candidate": candidate, "model_files": "m", "code_files": "c"}
        with mlflow.start_run():
            return registry.register(mlflow, "made", *files, rows, tags, "", taken=taken)

    assert [registered("first"), registered("second", "1")] == ["1", "2"]
    client.delete_registered_model("made")
    assert registered("third") == "1"  # its run was killed before it looked
    assert registry.version_of("made", "third", "m", "c", taken=("1", "2")) is None
    assert registered("third", "1", "2") == "3"
    assert registry.version_of("made", "third", "m", "c", taken=("1", "2")) == "3"
    assert sorted(int(each.version) for each in client.search_model_versions("name = 'made'")) == [1, 3]
