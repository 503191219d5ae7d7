"""What the counters' tests run in other processes."""

from __future__ import annotations

import os
import random
import sys
import time
from pathlib import Path

import msgspec

from noria.storage.counters_slots import Slots
from noria.storage.locks import Guard
from noria.storage.money import SharedMoney
from noria.storage.rates import SharedRates

ROW = b"budget-row-00001"
NOW = 1_800_000_000.0


class Hold(msgspec.Struct, frozen=True):
    row: bytes
    cap_nano: int
    nano: int
    window_end: int = 1 << 62


def spend(folder: str, name: str, cap: str, log: str) -> None:
    """Reserve 10 and spend 1 to 10 of one budget until it refuses; say what was spent."""
    slots = Slots(Path(folder))
    money = SharedMoney(Path(folder), slots=slots, slot=slots.claim(name))
    rng = random.Random(name)
    spent = 0
    ledger = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    print("ready", flush=True)
    while money.reserve([Hold(ROW, int(cap), 10)]) is None:
        os.write(ledger, line("begin", name))
        if rng.random() < 0.2:
            time.sleep(0.0005)
        cost = rng.randint(1, 10)
        spent += cost
        money.settle(ROW, reserved=10, spent=cost)
        os.write(ledger, line("end", name, str(cost)))
    print(spent, flush=True)


def line(*words: str) -> bytes:
    """A line whose length divides a page's: one that straddles two can be read, or killed, half written."""
    return " ".join(words).encode().ljust(31) + b"\n"


def hold_the_lock(folder: str) -> None:
    file = os.open(Path(folder) / "money", os.O_RDWR)
    with Guard(file, 0):
        print("held", flush=True)
        time.sleep(60)


def take_places(folder: str, name: str, count: str) -> None:
    slots = Slots(Path(folder))
    money = SharedMoney(Path(folder), slots=slots, slot=slots.claim(name))
    print(sum(money.acquire(ROW, 5) for _ in range(int(count))), flush=True)
    sys.stdin.read()
    time.sleep(60)


def admit(folder: str, name: str, count: str, limit: str) -> None:
    slots = Slots(Path(folder))
    rates = SharedRates(Path(folder), slots=slots, slot=slots.claim(name))
    allowed = 0
    for _ in range(int(count)):
        allowed += rates.admit(ROW, amount=1, limit=int(limit), window_s=60, now=NOW).allowed
    print(allowed, flush=True)
