"""Tables as CSV, safe to open in a spreadsheet."""

from __future__ import annotations

import csv
import io

from noria.tracing.store import CostRow, Costs

_COLUMNS = (
    "cost", "calls", "unknown", "estimated", "unconfirmed", "input_tokens", "output_tokens", "cached_tokens",
)  # fmt: skip
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def costs_csv(costs: Costs) -> str:
    """A header, one line a group, and a last line with the total."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow([costs.by, "cost_usd", *_COLUMNS[1:]])
    for row in costs.rows:
        writer.writerow(_line(row))
    writer.writerow(["total", *_line(costs.total)[1:]])
    return out.getvalue()


def _line(row: CostRow) -> list[object]:
    # A cell that starts as a formula would be run by a spreadsheet: CWE-1236.
    group = "'" + row.group if row.group.startswith(_FORMULA) else row.group
    return [group, *(getattr(row, name) for name in _COLUMNS)]
