"""Budgets after a loss: the shared counters are made to say what the ledger says.

The counters live in mapped files that survive every process and a restart of the machine. Where they are gone
all the same (deleted, or a state folder put together by hand) they would say that nothing was spent, so they
are rebuilt before the first worker starts: the collector takes in what the spools hold, and its ledger gives
the spend of every budget, subject and window.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Mapping
from http.client import HTTPException

from noria.errors import StateError
from noria.gateway.budget import window
from noria.runtime.unix_http import UnixConnection
from noria.storage.counters_slots import Slots
from noria.storage.home import Home
from noria.storage.ledger import Ledger
from noria.storage.money import SharedMoney, Spent

PATIENCE = 120.0
"""Seconds that the collector is given to take in what the spools hold."""


def needed(home: Home) -> bool:
    """Whether money may have been spent here and the counters know nothing of it."""
    return home.ledger.exists() and not (home.counters / "money").exists()


def reconcile(home: Home, windows: Mapping[str, str]) -> int:
    """Rebuild the counters; returns how many rows. `windows` gives each budget's window by its name.

    No process of this Noria may run. Raises StateError where the collector does not do its part.
    """
    _drain(home)
    ledger = Ledger(home.ledger)
    spent = [
        Spent(one.row, one.nano, window(windows[one.budget], one.window_start)[1])
        for one in ledger.spent()
        if one.budget in windows
    ]
    ledger.close()
    slots = Slots(home.counters)
    money = SharedMoney(home.counters, slots=slots, slot=slots.claim("reconcile"))
    money.load(spent)
    money.close()
    slots.close()
    return len(spent)


def _drain(home: Home) -> None:
    """Have a collector take in all that is in the spools."""
    process = subprocess.Popen([sys.executable, "-m", "noria.server.collector", "--home", str(home.folder)])
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
