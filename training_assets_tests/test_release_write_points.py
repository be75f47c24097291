"""Killed at any write, a registration, promotion or rollback leaves a version that serves; the next run finishes."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import dagster as dg
import pytest

from training_assets.core.fingerprint import digest, digests_of
from training_assets.resources.outbox import DELIVERED
from training_assets.resources.places import Places
from training_assets.resources.registry import Registry
from training_assets.resources.releases import Releases
from training_assets_tests.test_releases import EVALUATION, next_version, open_cases, released, said
from training_assets_tests.test_write_points import killed_at, needs_strace, points, run
from training_assets_tests.workplace import MODEL, Workplace, customers, failures, workplace

OPENING = """
    import json, sys
    from pathlib import Path
    import dagster as dg
    from training_assets.spec import ModelSpec
    from training_assets_tests.workplace import MODEL, Workplace
    root = Path(sys.argv[1])
    spec = ModelSpec.model_validate(json.loads((root / "spec.json").read_text()))
    with dg.DagsterInstance.from_config(str(root / "dagster")) as instance:
        print("ready", flush=True)
        place = Workplace(root, instance, spec)
"""
CLOSING = """
        from training_assets_tests.workplace import failures
        print(failures(done))
        sys.exit(not done.success)
"""
REGISTER = f"{OPENING}        done = place.materialise('registered_version'){CLOSING}"
PROMOTE = f"{OPENING}        done = place.execute(f'{{MODEL}}_promote', {{}}){CLOSING}"
FORM = {"ops": {f"{MODEL}_pull": {"config": {"reason": "calls doubled", "by": "Ada"}}}}
ROLLBACK = f"{OPENING}        done = place.execute(f'{{MODEL}}_rollback', {FORM}){CLOSING}"
RELEASE = {"targets": {"folder": {"kind": "directory", "path": "served/churn"}}}
MOST = 25


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A place with version 1 live: about to register version 2, to promote it, and to pull it."""
    root = tmp_path_factory.mktemp("prepared") / "place"
    stages: dict[str, Path] = {}

    def keep(name: str, place: Workplace) -> None:
        stages[name] = root.with_name(name)
        shutil.copytree(root, stages[name], symlinks=True)
        (stages[name] / "spec.json").write_text(json.dumps(place.spec.model_dump(mode="json")))

    with workplace(root) as made:
        place = made.with_spec(evaluation=EVALUATION, release=RELEASE)
        made.land("2026-01.csv", customers(600, seed=1))
        released(place, "2026-02.csv", 2)
        place.land("2026-03.csv", customers(300, seed=3))
        judged = place.materialise(
            "raw_data", "validated_data", "quarantined_rows", "feature_table", "train_split", "validation_split",
            "test_split", "preprocessor", "encoded_features", "tuned_model", "evaluation_report",
        )  # fmt: skip
        assert judged.success, failures(judged)
        keep("register", place)
        next_version(place, "2026-03.csv", 3)
        said(place, open_cases(place)[-1])
        keep("promote", place)
        done = place.execute(f"{MODEL}_promote", {})
        assert done.success, failures(done)
        keep("rollback", place)
    return stages


def serves(root: Path, allowed: set[str]) -> None:
    """A whole version is live, the folder leads to a whole version, and the ledger has no break."""
    places = Places(root, root / "home")
    releases = Releases(places.ledger, MODEL)
    pointer = places.ledger.pointer(MODEL, "production")
    assert pointer in allowed
    assert releases.spans()[-1].version == pointer
    assert places.ledger.first_broken() is None
    (package,) = (root / "served" / "churn").glob("data/*/package")
    known = {event.data["model_files"] for event in releases.versions().values()}
    assert digest(digests_of(package)) in known


@needs_strace
@pytest.mark.slow
@pytest.mark.parametrize("step", ["register", "promote", "rollback"])
def test_killed_at_a_write_the_live_version_serves_and_the_next_run_finishes_once(
    prepared: dict[str, Path], tmp_path: Path, step: str
) -> None:
    script = {"register": REGISTER, "promote": PROMOTE, "rollback": ROLLBACK}[step]
    allowed = {"register": {"1"}, "promote": {"1", "2"}, "rollback": {"1", "2"}}[step]
    counted = Path(shutil.copytree(prepared[step], tmp_path / "count", symlinks=True))
    every = points(script, counted, tmp_path / "log", MOST)
    killed = 0
    for at, point in enumerate(every):
        root = Path(shutil.copytree(prepared[step], tmp_path / str(at), symlinks=True))
        killed += killed_at(point, script, root, may_fail=step == "rollback")  # its proof is another process
        serves(root, allowed)
        assert run(script, root) == 0, point
        finished(root, step)
        shutil.rmtree(root)
    assert killed >= 0.5 * len(every)


def finished(root: Path, step: str) -> None:
    """The step is done, and done once."""
    places = Places(root, root / "home")
    releases, registry = Releases(places.ledger, MODEL), Registry(places.mlflow_uri)
    moves = [(move.data["from"], move.data["to"]) for move in releases.moves()]
    versions = [event.data["version"] for event in places.ledger.events(MODEL, "registered")]
    assert versions == ["1", "2"]
    wanted = {
        "register": [(None, "1")],
        "promote": [(None, "1"), ("1", "2")],
        "rollback": [(None, "1"), ("1", "2"), ("2", "1")],
    }
    assert moves == wanted[step]
    if step != "register":
        live = moves[-1][1]
        assert registry.aliases(MODEL)["champion"] == live
        delivered = {event.data["of"] for event in places.ledger.events(MODEL, DELIVERED)}
        assert releases.moves()[-1].seq in delivered
        with dg.DagsterInstance.from_config(str(root / "dagster")) as instance:
            shown = instance.get_latest_materialization_event(dg.AssetKey([MODEL, "live_version"]))
        assert shown is not None
        assert shown.asset_materialization is not None
        assert shown.asset_materialization.metadata["version"].value == int(live)
        serves(root, {live})
