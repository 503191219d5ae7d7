"""With payloads encrypted, no file of a running Noria holds what was asked or answered in the clear."""

import asyncio
import base64
import time
from pathlib import Path

import httpx2

from noria.gateway.snapshot import Provider
from noria.providers.secrets import Vault
from noria.storage.spans import SpanStore
from noria.testing import Upstream
from noria.testing.stack import Stack, mock_model, snapshot

KEY = b"k" * 32
ASKED = "the heron stands in the reeds at dawn"


async def test_nothing_is_kept_in_the_clear_and_all_is_read_back(tmp_path: Path) -> None:
    async with Upstream() as upstream:
        config = snapshot(
            providers={"a": Provider(name="a", dialect="openai", base_url=upstream.url + "/v1", auth="none")},
            models={"a/m": mock_model("m", provider="a")},
        )
        stack = Stack(
            tmp_path / "home",
            config,
            environment={"NORIA_ENCRYPTION_KEY": base64.b64encode(KEY).decode()},
            worker_options=("--encrypt-payloads",),
            collector_options=("--encrypt-payloads",),
        )
        await asyncio.to_thread(_run, stack)


def _run(stack: Stack) -> None:
    with stack:
        body = {"model": "a/m", "messages": [{"role": "user", "content": ASKED}], "store": True}
        headers = {"authorization": f"Bearer {stack.key()}"}
        answer = httpx2.post(f"{stack.url}/v1/chat/completions", json=body, headers=headers)
        assert answer.status_code == 200, answer.text
        said = answer.json()["choices"][0]["message"]["content"]
        trace = bytes.fromhex(answer.headers["x-noria-trace-id"])
        assert len(said) > 20
        spans = SpanStore(stack.home.spans, cipher=Vault([KEY]))
        until = time.monotonic() + 5
        while (found := spans.trace("default", trace)) is None or len(found.spans) < 2:
            assert time.monotonic() < until
            time.sleep(0.02)
        for path in sorted(one for one in stack.home.folder.rglob("*") if one.is_file()):
            kept = path.read_bytes()
            assert ASKED.encode() not in kept, path
            assert said.encode() not in kept, path
    assert ASKED in str(found.spans[0].input)
    assert said in str(found.spans[0].output)
