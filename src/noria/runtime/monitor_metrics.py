"""The states of rules and the open alerts, as Prometheus gauges."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import get_args

from noria.monitoring.alert import RuleState
from noria.monitoring.rule import State
from noria.runtime.metrics import family


def render(states: Sequence[RuleState], open: Mapping[str, int], *, projects: Sequence[str]) -> str:
    """More lines of the exposition."""
    named = [(one, {"project": one.project, "monitor": one.monitor, "rule": one.rule}) for one in states]
    lines = [
        *family(
            "noria_monitor_state", "gauge", "1 for the state that a rule is in, 0 for the others.",
            (
                ({**labels, "state": state}, int(one.standing.state == state))
                for one, labels in named
                for state in get_args(State)
            ),
        ),
        *family(
            "noria_monitor_value", "gauge", "What a rule of a monitor measured last.",
            ((labels, one.reading.value) for one, labels in named),
        ),
        *family(
            "noria_open_alerts", "gauge", "Alerts that have not ended.",
            (({"project": project}, open.get(project, 0)) for project in projects),
        ),
    ]  # fmt: skip
    return "\n".join(lines) + "\n"
