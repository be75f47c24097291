"""The servers that tests of ingestion read from."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from training_assets_tests.s3_server import S3Server, s3_server


@pytest.fixture(scope="session")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    """An S3 server with an empty bucket `rows`, shared by all tests of a session."""
    with s3_server(tmp_path_factory.mktemp("s3")) as server:
        yield server
