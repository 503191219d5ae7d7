"""Counters that are gone are rebuilt from the ledger before anybody can spend again."""

import asyncio
import json
import shutil
from decimal import Decimal
from pathlib import Path

from noria.access.key import Budget
from noria.gateway.budget import row, window
from noria.gateway.snapshot import Provider
from noria.models.price import Price
from noria.runtime.reconcile import needed, reconcile
from noria.storage.counters_slots import Slots
from noria.storage.money import SharedMoney
from noria.testing import Upstream, load
from noria.testing.stack import Stack, mock_model, snapshot

BODY = json.dumps(
    {"model": "mock/mock", "max_tokens": 50, "messages": [{"role": "user", "content": "spend it"}]}
).encode()


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
        home = stack.home
        assert not needed(home)
        shutil.rmtree(home.folder / "counters")
        assert needed(home)
        assert await asyncio.to_thread(reconcile, home, {"b": "month"}) == 1
        spent = sum(3 * one.input + 15 * one.output for one in upstream.ledger.served) * 1000
        slots = Slots(home.counters)
        money = SharedMoney(home.counters, slots=slots, slot=0)
        start, _ = window("month", int(results[0].began))
        settled, reserved = money.totals(row("b", "project:default", start))
        assert (settled, reserved) == (spent, 0)
        money.close()
        slots.close()
