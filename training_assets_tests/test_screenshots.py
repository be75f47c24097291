"""The script that takes the pictures finds its way about Dagster's UI, over a throwaway code location."""

from __future__ import annotations

import os
import shutil
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from training_assets.instance.home import prepare
from training_assets_tests.conftest import ROOT

pytestmark = pytest.mark.browser

SCRIPT = ROOT / "scripts" / "screenshots.py"
CODE = """
import dagster as dg

@dg.asset(key_prefix="boats", group_name="boats")
def train_split() -> int:
    return 1

@dg.asset_check(asset=train_split)
def rows_are_there() -> dg.AssetCheckResult:
    return dg.AssetCheckResult(passed=True)

@dg.asset(key_prefix="boats", group_name="boats")
def tuned_model(train_split: int) -> dg.MaterializeResult:
    picture = dg.MetadataValue.md("![search history](data:image/png;base64,%s)" % ("A" * 2000))
    return dg.MaterializeResult(metadata={"search_history": picture})

@dg.asset(key_prefix="boats", group_name="boats")
def evaluation_report(train_split: int) -> None:
    pass

defs = dg.Definitions(
    assets=[train_split, tuned_model, evaluation_report],
    asset_checks=[rows_are_there],
    jobs=[dg.define_asset_job("boats_train", dg.AssetSelection.groups("boats"))],
    executor=dg.in_process_executor,
)
"""


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(port: int) -> None:
    """Return when somebody listens."""
    for _ in range(600):
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    pytest.fail(f"nobody listens on {port}")


@pytest.fixture(scope="module")
def webserver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a webserver that has seen one run."""
    if shutil.which("chromium") is None:
        pytest.skip("no Chromium; on Debian: apt install chromium")
    folder = tmp_path_factory.mktemp("throwaway")
    (folder / "throwaway.py").write_text(CODE)
    environment = {**os.environ, "DAGSTER_HOME": str(prepare(folder))}
    location = ["-f", "throwaway.py", "-d", str(folder)]
    run = [sys.executable, "-m", "dagster", "job", "execute", "-j", "boats_train", *location]
    subprocess.run(run, cwd=folder, env=environment, check=True, capture_output=True)
    port = free_port()
    serve = [sys.executable, "-m", "dagster_webserver", "-h", "127.0.0.1", "-p", str(port), *location]
    with subprocess.Popen(serve, cwd=folder, env=environment, stderr=subprocess.DEVNULL) as server:
        wait_for(port)
        yield f"http://127.0.0.1:{port}"
        server.terminate()


def shoot(*words: str) -> subprocess.CompletedProcess[str]:
    """Run the script."""
    return subprocess.run([sys.executable, str(SCRIPT), *words], capture_output=True, text=True, check=False)


def size_of(picture: Path) -> tuple[int, int]:
    """Width and height of a PNG."""
    head = picture.read_bytes()[:24]
    assert head.startswith(b"\x89PNG")
    width, height = struct.unpack(">II", head[16:])
    return width, height


def test_every_picture_is_taken(webserver: str, tmp_path: Path) -> None:
    done = shoot(webserver, "--model", "boats", "--into", str(tmp_path / "docs"))
    assert done.returncode == 0, done.stderr
    taken = {path.name: size_of(path) for path in (tmp_path / "docs").iterdir()}
    asset_pages = {"tuned_model.png", "search.png", "evaluation_report.png", "checks.png"}
    assert set(taken) == {"asset_graph.png", "run.png"} | asset_pages
    assert {width for width, _ in taken.values()} == {1600}
    assert taken["asset_graph.png"][1] > 500


def test_a_model_that_is_not_there_is_named(webserver: str, tmp_path: Path) -> None:
    done = shoot(webserver, "--model", "trains", "--into", str(tmp_path))
    assert done.returncode == 1
    assert done.stderr.endswith("has no model trains\n")


def test_a_webserver_that_is_not_there_is_said(tmp_path: Path) -> None:
    done = shoot(f"http://127.0.0.1:{free_port()}", "--into", str(tmp_path))
    assert done.returncode == 1
    assert "Connection refused" in done.stderr
