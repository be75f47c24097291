"""Serving the two UIs on loopback, together, until one of them ends or the user interrupts."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from training_assets.definitions import places
from training_assets.instance.home import prepare
from training_assets.resources.mlflow_database import make_database

LOOPBACK = "127.0.0.1"
PATIENCE_SECONDS = 15


def serve(port: int, mlflow_port: int, say: Callable[[str], None]) -> int:
    """Start Dagster (UI, daemon, code location) and MLflow; stop both when either ends. Gives the exit status."""
    where = places()
    make_database(where)
    environment = {
        **os.environ,
        "DAGSTER_HOME": os.environ.get("DAGSTER_HOME") or str(prepare(where.home)),
        "TRAINING_ASSETS_HOME": str(where.home),
        "TRAINING_ASSETS_UI_URL": where.ui_url or f"http://{LOOPBACK}:{port}",
        "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
    }
    scripts = Path(sys.executable).parent
    commands = [
        [str(scripts / "dagster"), "dev", "--host", LOOPBACK, "--port", str(port)],
        [
            *(str(scripts / "mlflow"), "server", "--host", LOOPBACK, "--port", str(mlflow_port), "--workers", "1"),
            *("--backend-store-uri", where.mlflow_uri, "--default-artifact-root", str(where.mlflow_artifacts)),
        ],
    ]
    children = [
        subprocess.Popen(command, cwd=where.root, env=environment, start_new_session=True)  # noqa: S603 - fixed commands
        for command in commands
    ]
    say(f"Dagster: http://{LOOPBACK}:{port}  MLflow: http://{LOOPBACK}:{mlflow_port}  (Ctrl-C ends both)")
    say(f"a file that lands where a source looks starts a training, e.g. in {where.root / 'landing' / 'flights'}")
    for ending in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(ending, lambda *_: sys.exit(0))
    try:
        while all(child.poll() is None for child in children):
            time.sleep(0.5)
        return next(child.returncode for child in children if child.poll() is not None)
    except KeyboardInterrupt:
        return 0
    finally:
        for child in children:
            _end(child)


def _end(child: subprocess.Popen[bytes]) -> None:
    """Ask a process group to end, then make it."""
    for each in (signal.SIGINT, signal.SIGKILL):
        if child.poll() is None:
            os.killpg(child.pid, each)
            try:
                child.wait(PATIENCE_SECONDS)
            except subprocess.TimeoutExpired:
                continue
