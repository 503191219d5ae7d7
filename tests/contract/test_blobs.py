"""One suite for every place where blobs can lie."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from noria.core.digest import digest_bytes
from noria.errors import InvalidRequest, NotFound, StateError, Unreachable
from noria.storage.blobs import Blobs, FolderBlobs, bucket, key_of


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def _answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


@pytest.fixture(scope="module")
def s3() -> Iterator[str]:
    """The endpoint of an S3 service on this machine, with a bucket "noria"."""
    pytest.importorskip("moto.server")
    import boto3

    port = _free_port()
    server = subprocess.Popen(
        [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        until = time.monotonic() + 60
        while not _answers(port):
            assert time.monotonic() < until and server.poll() is None
            time.sleep(0.1)
        endpoint = f"http://127.0.0.1:{port}"
        boto3.client(
            "s3",
            endpoint_url=endpoint,
            region_name="us-east-1",
            aws_access_key_id="test",
            aws_secret_access_key="test",
        ).create_bucket(Bucket="noria")
        yield endpoint
    finally:
        server.terminate()
        server.wait()


@pytest.fixture(params=["folder", "s3"])
def blobs(request: pytest.FixtureRequest, tmp_path: Path) -> Blobs:
    if request.param == "folder":
        return FolderBlobs(tmp_path)
    endpoint = request.getfixturevalue("s3")
    return bucket(
        f"s3://noria/{tmp_path.name}",
        endpoint=endpoint,
        region="us-east-1",
        access_key="test",
        secret_key="test",
    )


@pytest.mark.parametrize("data", [b"", b"x", os.urandom(3_000_000)])
def test_what_was_put_is_found_by_its_digest(blobs: Blobs, data: bytes) -> None:
    digest = blobs.put(data)
    assert digest == digest_bytes(data)
    assert blobs.has(digest) and blobs.get(digest) == data
    assert list(blobs.all()) == [digest]


def test_putting_twice_is_putting_once(blobs: Blobs) -> None:
    assert blobs.put(b"same") == blobs.put(b"same")
    assert len(list(blobs.all())) == 1


def test_many_may_put_the_same_at_once(blobs: Blobs) -> None:
    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(blobs.put, [b"race"] * 16))) == 1
    assert blobs.get(digest_bytes(b"race")) == b"race"


def test_what_is_not_there(blobs: Blobs) -> None:
    missing = digest_bytes(b"never put")
    assert not blobs.has(missing)
    with pytest.raises(NotFound):
        blobs.get(missing)
    blobs.delete(missing)


def test_deleted_is_gone(blobs: Blobs) -> None:
    digest = blobs.put(b"soon gone")
    blobs.delete(digest)
    assert not blobs.has(digest) and list(blobs.all()) == []


@pytest.mark.parametrize("name", ["", "sha256:zz", "../../etc/passwd", "sha256:" + "A" * 64])
def test_only_digests_are_names(blobs: Blobs, name: str) -> None:
    with pytest.raises(InvalidRequest):
        blobs.get(name)


def test_a_damaged_file_is_not_given_out(tmp_path: Path) -> None:
    blobs = FolderBlobs(tmp_path)
    digest = blobs.put(b"right")
    (tmp_path / key_of(digest)).write_bytes(b"wrong")
    with pytest.raises(StateError, match="damaged"):
        blobs.get(digest)


def test_an_unreachable_bucket_is_a_sentence() -> None:
    pytest.importorskip("obstore")
    gone = bucket(
        "s3://noria",
        endpoint=f"http://127.0.0.1:{_free_port()}",
        region="us-east-1",
        access_key="a",
        secret_key="b",
    )
    with pytest.raises(Unreachable, match="cannot be used"):
        gone.get(digest_bytes(b""))
