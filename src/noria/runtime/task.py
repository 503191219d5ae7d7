"""The child process of one job step: `python -m noria.runtime.task KIND`, its arguments in JSON on stdin.

Writes one JSON object a line to stdout: `{"done", "total", "unit", "message"}` as it goes on, at the end
`{"result"}` or `{"error"}`. It dies with its parent: when the rest of stdin ends, so does it.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any, NoReturn

import msgspec

from noria.errors import NoriaError

_EVERY = 0.2
"""Seconds between two reports."""
Report = Callable[[int | None, int | None, str, str], None]
"""(done, total, unit, message)."""
Task = Callable[[dict[str, Any], Report], object]


def pull_weights(arguments: dict[str, Any], report: Report) -> object:
    """Fetch the weights `name` into this machine's cache; goes on where an earlier attempt stopped."""
    from noria.providers.weights import Progress, pull

    def progress(now: Progress) -> None:
        report(now.done, now.total, "bytes", f"fetching {now.what}")

    return str(pull(arguments["name"], progress=progress))


def count_up(arguments: dict[str, Any], report: Report) -> object:
    """Takes `steps` times a tenth of a second: to see that jobs work on this machine (`noria doctor`)."""
    steps = int(arguments["steps"])
    for step in range(steps):
        report(step, steps, "steps", "counting")
        time.sleep(0.1)
    return steps


def run_eval(arguments: dict[str, Any], report: Report) -> object:
    """An EvalRun, or what is left of it."""
    from noria.runtime.eval_task import run_eval

    return run_eval(arguments, report)


def calibrate_judge(arguments: dict[str, Any], report: Report) -> object:
    """The calibration of a judge, or what is left of it."""
    from noria.runtime.judge_task import calibrate

    return calibrate(arguments, report)


def import_dataset(arguments: dict[str, Any], report: Report) -> object:
    """Files into a dataset."""
    from noria.runtime.dataset_task import import_dataset

    return import_dataset(arguments, report)


def build_dataset(arguments: dict[str, Any], report: Report) -> object:
    """A build of a dataset, or what is left of it."""
    from noria.runtime.curation_task import build

    return build(arguments, report)


def undo_build(arguments: dict[str, Any], report: Report) -> object:
    """Drops and edits of a build taken back."""
    from noria.runtime.curation_task import take_back

    return take_back(arguments, report)


def optimize_prompt(arguments: dict[str, Any], report: Report) -> object:
    """A search for a better version of a prompt, or what is left of it."""
    from noria.runtime.optimize_task import run_optimization

    return run_optimization(arguments, report)


def explore(arguments: dict[str, Any], report: Report) -> object:
    """An exploration of models on some samples, or what is left of it."""
    from noria.runtime.explore_task import run_exploration

    return run_exploration(arguments, report)


def embed_pool(arguments: dict[str, Any], report: Report) -> object:
    """The vectors of the examples that a prompt chooses from."""
    from noria.runtime.pool_task import build_pool

    return build_pool(arguments, report)


def run_study(arguments: dict[str, Any], report: Report) -> object:
    """A study, or what is left of it."""
    from noria.runtime.study_task import run_study

    return run_study(arguments, report)


TASKS: dict[str, Task] = {
    "weights.pull": pull_weights,
    "check.count": count_up,
    "evals.run": run_eval,
    "studies.run": run_study,
    "explore.run": explore,
    "prompt.pool": embed_pool,
    "prompt.optimize": optimize_prompt,
    "dataset.build": build_dataset,
    "dataset.undo": undo_build,
    "dataset.import": import_dataset,
    "judges.calibrate": calibrate_judge,
}


def main() -> None:
    """Run one task, as the module says."""
    kind = sys.argv[1]
    lines: Iterator[bytes] = iter(sys.stdin.buffer)
    arguments = msgspec.json.decode(next(lines), type=dict[str, Any])
    threading.Thread(target=_die_with_parent, args=(lines,), daemon=True).start()
    last = 0.0

    def report(done: int | None, total: int | None, unit: str, message: str) -> None:
        nonlocal last
        if time.monotonic() - last >= _EVERY:
            last = time.monotonic()
            _say({"done": done, "total": total, "unit": unit, "message": message})

    try:
        result = TASKS[kind](arguments, report)
    except NoriaError as error:
        _end({"error": str(error)}, 2)
    _end({"result": result}, 0)


def _end(value: dict[str, object], status: int) -> NoReturn:
    """At once: an interpreter that shuts down waits for stdin, which the other thread reads, and aborts."""
    _say(value)
    sys.stderr.flush()
    os._exit(status)


def _say(value: dict[str, object]) -> None:
    sys.stdout.buffer.write(msgspec.json.encode(value) + b"\n")
    sys.stdout.buffer.flush()


def _die_with_parent(lines: Iterator[bytes]) -> None:
    for _ in lines:
        pass
    os._exit(1)


if __name__ == "__main__":
    main()
