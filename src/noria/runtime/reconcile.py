"""Budgets after a loss: the shared counters are made to say what the ledger says.

The counters live in mapped files that survive every process, but not a power cut: the last half minute may
never have reached the disk, while spool and ledger lose at most the sync interval. So they are rebuilt before
the first worker starts where the machine has started anew since they were last in use, where they are gone
(deleted, or a state folder put together by hand), and where an earlier rebuilding was cut short: the
collector takes in what the spools hold, and its ledger gives the spend of every budget, subject and window.

`counters/boot` names the start of the machine in which they were last trusted.
"""

from __future__ import annotations

import subprocess
import time
from collections.abc import Sequence
from http.client import HTTPException
from pathlib import Path

from noria.errors import StateError
from noria.gateway.budget import latest_end
from noria.runtime.unix_http import UnixConnection
from noria.storage.counters_slots import Slots
from noria.storage.home import Home
from noria.storage.ledger import Ledger
from noria.storage.money import SharedMoney, Spent

PATIENCE = 120.0
"""Seconds that the collector is given to take in what the spools hold."""


_REBUILDING = "rebuilding"
"""In place of a boot id while the counters are being rebuilt."""
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
"""Linux's name for this start of the machine."""


def needed(home: Home) -> bool:
    """Whether money may have been spent here that the counters do not know of."""
    if not home.ledger.exists():
        return False
    if not (home.counters / "money").exists():
        return True
    mark = home.counters / "boot"
    return mark.exists() and mark.read_text() != _BOOT_ID.read_text().strip()


def trust(home: Home) -> None:
    """The counters are right from now until the machine goes down."""
    _mark(home, _BOOT_ID.read_text().strip())


def reconcile(home: Home, collector: Sequence[str], *, now: int) -> int:
    """Rebuild the counters; returns how many rows. `collector` is its command line; `now` in Unix seconds.

    No process of this Noria may run. Raises StateError where the collector does not do its part.
    """
    _mark(home, _REBUILDING)  # The collector makes the files: from here on they exist and say too little.
    _drain(home, collector)
    ledger = Ledger(home.ledger)
    spent = [Spent(one.row, one.nano, latest_end(one.window_start)) for one in ledger.spent()]
    spent = [one for one in spent if one.window_end > now]
    ledger.close()
    slots = Slots(home.counters)
    money = SharedMoney(home.counters, slots=slots, slot=slots.claim("reconcile"))
    money.load(spent)
    money.close()
    slots.close()
    trust(home)
    return len(spent)


def _mark(home: Home, text: str) -> None:
    aside = home.counters / ".boot"
    aside.write_text(text)
    aside.replace(home.counters / "boot")


def _drain(home: Home, collector: Sequence[str]) -> None:
    """Have a collector take in all that is in the spools."""
    process = subprocess.Popen(collector)
    until = time.monotonic() + PATIENCE
    try:
        while not _drained(home):
            if process.poll() is not None or time.monotonic() > until:
                raise StateError(
                    "Budgets cannot be rebuilt from the ledger: the collector does not take in what the "
                    "spools hold, and has said why above."
                )
            time.sleep(0.1)
    finally:
        process.terminate()
        process.wait(30)


def _drained(home: Home) -> bool:
    connection = UnixConnection(home.run / "collector.sock", timeout=PATIENCE)
    try:
        connection.request("POST", "/internal/drain")
        return connection.getresponse().status == 200
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()
