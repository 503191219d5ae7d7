"""Builds from source to result: passes, counts, resuming, kills."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest
from builds import Listed, built, examples_of, plan_of, run_of

from noria.datasets.curation.run import events
from noria.errors import StateError, UserError

_TEXTS = ["one  two", "three", "one two", "x", "THREE", "four", "", "five  six"]
_STEPS = ({"type": "normalize"}, {"type": "exact"}, {"type": "length", "least": 2})


def test_a_build_keeps_order_counts_and_logs(tmp_path: Path) -> None:
    result, left, log = built(tmp_path, _TEXTS, *_STEPS)
    assert [one.id for one in left] == ["e000000", "e000001", "e000005", "e000007"]
    assert left[0].input == {"input": "one two"}
    assert (result.given, result.left) == (8, 4)
    normalize, exact, length = (result.counts[place] for place in range(3))
    assert (normalize.seen, normalize.changed, normalize.reasons) == (8, 2, {"normalize": 2})
    assert (exact.seen, exact.dropped, exact.reasons) == (8, 2, {"duplicate": 2})
    assert (length.seen, length.kept, length.reasons) == (6, 4, {"too short": 2})
    for count in result.counts.values():
        assert count.seen == count.kept + count.changed + count.dropped + count.unable
    drops = {event.example: event for event in log if event.kind == "drop"}
    assert drops["e000002"].details == {"of": "e000000", "similarity": 1.0}
    assert drops["e000004"].details["of"] == "e000001"
    dropped = drops["e000003"].dropped
    assert dropped is not None and dropped.input == {"input": "x"}


def test_nothing_comes_of_nothing(tmp_path: Path) -> None:
    result, left, _ = built(tmp_path, [], *_STEPS)
    assert (result.given, result.left, left) == (0, 0, [])


def test_done_again_it_does_nothing_and_says_the_same(tmp_path: Path) -> None:
    run = run_of(plan_of(*_STEPS), tmp_path)
    first = run.do(Listed(examples_of(_TEXTS)))
    times = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.done")}
    assert run_of(plan_of(*_STEPS), tmp_path).do(Listed(examples_of(_TEXTS))) == first
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.done")} == times


def test_other_steps_in_the_same_folder_are_refused(tmp_path: Path) -> None:
    run_of(plan_of(*_STEPS), tmp_path).do(Listed(examples_of(_TEXTS)))
    with pytest.raises(StateError, match="start a new run"):
        run_of(plan_of({"type": "normalize"}), tmp_path).do(Listed([]))


def test_what_is_cleared_is_not_the_log(tmp_path: Path) -> None:
    run = run_of(plan_of(*_STEPS), tmp_path)
    run.do(Listed(examples_of(_TEXTS)))
    before = list(events(tmp_path))
    run.clear()
    assert list(events(tmp_path)) == before
    assert not list(tmp_path.rglob("*.examples"))


def test_the_log_is_read_on_from_any_place(tmp_path: Path) -> None:
    built(tmp_path, _TEXTS, *_STEPS)
    whole = list(events(tmp_path))
    for place, (at, _) in enumerate(whole):
        assert list(events(tmp_path, after=at)) == whole[place + 1 :]


def test_a_step_that_cannot_begin_says_so(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="cannot_be_found"):
        built(tmp_path, ["a"], {"type": "map", "function": "cannot_be_found:f"})


def test_an_id_cannot_be_changed(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="another id"):
        built(tmp_path, ["a"], {"type": "map", "function": "own_steps:renamed"})


_PROGRAM = """
import sys
from pathlib import Path
sys.path.insert(0, {here!r})
from builds import Listed, examples_of, plan_of, run_of

if __name__ == "__main__":
    plan = plan_of(*{steps!r})
    run = run_of(plan, Path({folder!r}), shard=20)
    run.do(Listed(examples_of([f"text number {{i % 150}}" for i in range(200)])))
"""


def test_killed_anywhere_it_goes_on_and_does_no_shard_twice(tmp_path: Path) -> None:
    """The build's process is killed several times; its workers end with it, and the result is as if nothing
    had been."""
    log, folder = tmp_path / "log", tmp_path / "run"
    slow = {"type": "map", "function": "own_steps:slow", "arguments": {"log": str(log)}}
    steps = [slow, {"type": "exact"}, {"type": "length", "least": 3}, slow]
    program = tmp_path / "program.py"
    program.write_text(_PROGRAM.format(here=str(Path(__file__).parent), steps=steps, folder=str(folder)))
    kills = 0
    while True:
        process = subprocess.Popen([sys.executable, str(program)], start_new_session=True)
        before = len(list(folder.rglob("*.done")))
        until = time.monotonic() + 60
        while process.poll() is None and time.monotonic() < until:
            if kills < 3 and len(list(folder.rglob("*.done"))) >= before + 3:
                process.kill()
                kills += 1
                break
            time.sleep(0.005)
        process.wait()
        _no_process_left(process.pid)
        if process.returncode == 0:
            break
    assert kills == 3
    run = run_of(plan_of(*steps), folder, shard=20)
    result = run.do(Listed(examples_of([f"text number {place % 150}" for place in range(200)])))
    left = list(run.examples())
    assert (result.given, result.left) == (200, 150)
    assert [one.id for one in left] == [f"e{place:06}" for place in range(150)]
    assert sum(event.kind == "drop" for _, event in events(folder)) == 50
    # Only shards that were under way when a kill came were begun again: at most two a kill, twenty each.
    done = Counter(line.split()[1] for line in log.read_text().splitlines())
    again = sum(count - (2 if int(id[1:]) < 150 else 1) for id, count in done.items())
    assert 0 <= again <= kills * 3 * 20


def _no_process_left(group: int) -> None:
    for _ in range(500):
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return
        time.sleep(0.01)
    os.killpg(group, signal.SIGKILL)
    raise AssertionError("the workers of a killed build go on")
