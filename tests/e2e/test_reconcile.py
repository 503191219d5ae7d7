"""Counters that may know too little are rebuilt from the ledger before anybody can spend again."""

import asyncio
import json
import shutil
import sys
import time
from decimal import Decimal
from pathlib import Path

import pytest

from noria.access.key import Budget
from noria.errors import StateError
from noria.gateway.budget import row, window
from noria.gateway.snapshot import Provider
from noria.models.price import Price
from noria.runtime.reconcile import needed, reconcile, trust
from noria.storage.counters_slots import Slots
from noria.storage.home import Home
from noria.storage.money import SharedMoney
from noria.testing import Upstream, load
from noria.testing.stack import Stack, mock_model, snapshot

BODY = json.dumps(
    {"model": "mock/mock", "max_tokens": 50, "messages": [{"role": "user", "content": "spend it"}]}
).encode()
FAILING = """
import sys
from pathlib import Path
from noria.storage.counters_slots import Slots
from noria.storage.money import SharedMoney
SharedMoney(Path(sys.argv[1]), slots=Slots(Path(sys.argv[1])), slot=0)
sys.exit(1)
"""
"""A collector that makes the counters' files, and dies."""


def collector(home: Home) -> list[str]:
    return [sys.executable, "-m", "noria.server.collector", "--home", str(home.folder)]


def totals(home: Home, began: float) -> tuple[int, int]:
    slots = Slots(home.counters)
    money = SharedMoney(home.counters, slots=slots, slot=0)
    start, _ = window("month", int(began))
    try:
        return money.totals(row("b", "project:default", start))
    finally:
        money.close()
        slots.close()


async def test_the_ledger_says_what_lost_counters_have_forgotten(tmp_path: Path) -> None:
    async with Upstream() as upstream:
        provider = Provider(name="mock", dialect="openai", base_url=upstream.url + "/v1", auth="none")
        price = Price(id="p", input=Decimal(3), output=Decimal(15))
        config = snapshot(providers={"mock": provider}, models={"mock/mock": mock_model(price=price)})
        stack = Stack(tmp_path / "home", config)
        await asyncio.to_thread(stack.__enter__)
        try:
            budget = Budget(name="b", subject="project:*", amount_nano=10**9, window="month")
            await asyncio.to_thread(stack.budget, budget)
            key = await asyncio.to_thread(stack.key)
            headers = {"authorization": f"Bearer {key}"}
            results = await load(
                stack.url + "/v1/chat/completions", body=BODY, headers=headers, connections=4, requests=20
            )
            assert all(result.status == 200 for result in results)
            await asyncio.to_thread(stack.kill, "collector")
        finally:
            await asyncio.to_thread(stack.__exit__, None, None, None)
        home, now = stack.home, int(time.time())
        assert not needed(home)
        shutil.rmtree(home.folder / "counters")
        assert needed(home)
        dying = [sys.executable, "-c", FAILING, str(home.counters)]
        with pytest.raises(StateError):
            await asyncio.to_thread(reconcile, home, dying, now=now)
        assert totals(home, results[0].began) == (0, 0)
        assert needed(home)  # The files are there again, and say that nothing was spent.
        assert await asyncio.to_thread(reconcile, home, collector(home), now=now) == 1
        assert not needed(home)
        spent = sum(3 * one.input + 15 * one.output for one in upstream.ledger.served) * 1000
        assert totals(home, results[0].began) == (spent, 0)
        assert await asyncio.to_thread(reconcile, home, collector(home), now=now + 40 * 86_400) == 0


def test_counters_are_trusted_until_the_machine_starts_anew(tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.ledger.touch()
    assert needed(home)
    (home.counters / "money").touch()
    assert not needed(home)  # Of a version that kept no mark.
    trust(home)
    assert not needed(home)
    (home.counters / "boot").write_text("another start of the machine")
    assert needed(home)
