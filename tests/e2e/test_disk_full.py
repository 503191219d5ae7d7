"""A full disk is a clear 503 and a line in the log, and recovery needs no hand; nothing answered is lost."""

import asyncio
import json
import os
import subprocess
import time
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import httpx2
import pytest

from noria.gateway.snapshot import Provider
from noria.models.price import Price
from noria.storage.spans import SpanStore
from noria.testing import Upstream
from noria.testing.stack import Stack, mock_model, snapshot

BODY = json.dumps(
    {"model": "mock/mock", "max_tokens": 20, "messages": [{"role": "user", "content": "x" * 60_000}]}
).encode()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 160 MB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=160m", "tmpfs", str(folder)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("only root can mount a small disk")
    yield folder
    for _ in range(50):
        if subprocess.run(["umount", "-l", str(folder)], capture_output=True, check=False).returncode == 0:
            return
        time.sleep(0.1)


async def test_a_full_disk_refuses_in_words_and_recovers_by_itself(small_disk: Path) -> None:
    async with Upstream() as upstream:
        price = Price(id="p", input=Decimal(1), output=Decimal(1))
        provider = Provider(name="mock", dialect="openai", base_url=upstream.url + "/v1", auth="none")
        config = snapshot(providers={"mock": provider}, models={"mock/mock": mock_model(price=price)})
        with Stack(small_disk / "home", config) as stack:
            key = stack.key()
            headers = {"authorization": f"Bearer {key}"}
            traces: list[str] = []
            async with httpx2.AsyncClient(base_url=stack.url, timeout=10, headers=headers) as client:

                async def call() -> httpx2.Response:
                    answer = await client.post("/v1/chat/completions", content=BODY)
                    if answer.status_code == 200:
                        traces.append(answer.headers["x-noria-trace-id"])
                    return answer

                assert (await call()).status_code == 200
                filler = small_disk / "filler"
                _fill(filler)
                refused = None
                for _ in range(2000):
                    answer = await call()
                    if answer.status_code != 200:
                        refused = answer
                        break
                assert refused is not None
                assert refused.status_code == 503
                assert "room" in refused.json()["error"]["message"]
                filler.unlink()
                until = time.monotonic() + 20
                while (await call()).status_code != 200:
                    assert time.monotonic() < until
                    await asyncio.sleep(0.1)
                await asyncio.sleep(1.0)
                store = SpanStore(stack.home.spans)
                until = time.monotonic() + 20
                while missing := _missing(store, traces):
                    assert time.monotonic() < until, f"{len(missing)} of {len(traces)} are missing"
                    await asyncio.sleep(0.2)


def _missing(store: SpanStore, traces: list[str]) -> list[str]:
    return [one for one in traces if store.trace("default", bytes.fromhex(one)) is None]


def _fill(path: Path) -> None:
    """Leave less than a page."""
    with open(path, "wb") as file:
        for size in (1 << 20, 1 << 12):
            while True:
                try:
                    os.write(file.fileno(), b"f" * size)
                except OSError:
                    break
