"""Eight workers race one budget before a slow upstream, some are killed: nothing is overspent."""

import asyncio
import json
from decimal import Decimal
from pathlib import Path

from noria.access.key import Budget
from noria.gateway.snapshot import Provider
from noria.models.price import Price
from noria.storage.counters_slots import Slots
from noria.storage.ledger import LedgerStore
from noria.testing import Plan, Upstream, load
from noria.testing.stack import Stack, mock_model, snapshot
from noria.tracing.store import Window

PRICE = Price(id="p", input=Decimal(3), output=Decimal(15), cached=Decimal("0.3"))
CAP = Decimal("0.25")
BODY = json.dumps(
    {"model": "mock/mock", "max_tokens": 100, "messages": [{"role": "user", "content": "spend it"}]}
).encode()


def _billed(upstream: Upstream) -> Decimal:
    """What the upstream's own ledger comes to."""
    served = [one for one in upstream.ledger.served if one.status == 200]
    return sum((3 * one.input + 15 * one.output for one in served), Decimal(0)) / 1_000_000


async def _settled(stack: Stack) -> None:
    """Until nothing is reserved any more: the collector has settled what the killed left."""
    slots = Slots(stack.home.counters)
    for _ in range(200):
        if not slots.dead():
            break
        await asyncio.sleep(0.1)
    slots.close()
    await asyncio.sleep(0.5)


async def test_eight_workers_overspend_nothing(tmp_path: Path) -> None:
    async with Upstream() as upstream:
        upstream.default = Plan(words=40, first=30)
        provider = Provider(name="mock", dialect="openai", base_url=upstream.url + "/v1", auth="none")
        config = snapshot(
            providers={"mock": provider},
            models={"mock/mock": mock_model(price=PRICE)},
        )
        stack = Stack(tmp_path / "home", config, workers=8)
        await asyncio.to_thread(stack.__enter__)
        try:
            budget = Budget(name="b", subject="key:*", amount_nano=int(CAP * 10**9), window="month")
            await asyncio.to_thread(stack.budget, budget)
            key = await asyncio.to_thread(stack.key)
            stop = asyncio.Event()
            running = asyncio.create_task(
                load(
                    stack.url + "/v1/chat/completions",
                    body=BODY,
                    headers={"authorization": f"Bearer {key}"},
                    connections=32,
                    until=stop,
                )
            )
            for number in range(4):
                await asyncio.sleep(0.4)
                await asyncio.to_thread(stack.kill, f"worker-{number}")
                await asyncio.to_thread(stack.start, f"worker-{number}")
            await asyncio.sleep(2.0)
            stop.set()
            results = await running
            await _settled(stack)
        finally:
            await asyncio.to_thread(stack.__exit__, None, None, None)
        statuses = {status: sum(one.status == status for one in results) for status in (200, 429)}
        billed = _billed(upstream)
        assert statuses[200] > 50
        assert statuses[429] > 0
        billed = _billed(upstream)
        assert billed <= CAP
        assert billed > CAP * Decimal("0.5")
        costs = LedgerStore(stack.home.ledger).costs("default", Window(0, 1 << 62), by="key")
        assert billed <= Decimal(costs.total.cost) <= CAP
        print(f"{statuses}, billed ${billed} of ${CAP}, ledger ${costs.total.cost}")
