"""The durable job of an import: runs in a child process on the same noria.db."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from noria.core.clock import SystemClock
from noria.runtime import dataset_import
from noria.runtime.sealing import read_seal
from noria.runtime.task import Report
from noria.storage.audit import AuditLog
from noria.storage.database import Database
from noria.storage.datasets import DatasetTable


def import_dataset(arguments: dict[str, Any], report: Report) -> object:
    """`database` is the path of noria.db, `order` a dataset_import.Order; `uploaded` files are deleted."""
    order = msgspec.convert(arguments["order"], dataset_import.Order)
    database = Database.open(Path(arguments["database"]), seal=read_seal())
    clock = SystemClock()
    try:
        table = DatasetTable(database, AuditLog(database, clock), clock)
        table.tidy()
        done = dataset_import.run(
            table,
            order,
            progress=lambda read: report(read, None, "records", f"importing into {order.dataset}"),
        )
    finally:
        database.close()
        # Not after a kill: then the job reads them again.
        for path in arguments.get("uploaded", ()):
            Path(path).unlink(missing_ok=True)
    bad = f"; {done.bad:,} of {done.read:,} records were left out" if done.bad else ""
    what = f"version {done.version} with {done.examples:,} examples" if done.made else "nothing is new"
    return f"{order.dataset}: {what}{bad}"
