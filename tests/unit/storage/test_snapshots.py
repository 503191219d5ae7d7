import os
import subprocess
import sys
from pathlib import Path

import pytest

from noria.access.key import Budget
from noria.core.digest import digest
from noria.errors import StateError
from noria.gateway.snapshot import FORMAT, Live, Snapshot
from noria.storage.snapshots import KEPT, Snapshots


def _config(text: str) -> Snapshot:
    return Snapshot(format=FORMAT, digest=digest(text), providers={}, models={}, routes={})


def _live(epoch: int) -> Live:
    budget = Budget(name="b", subject="key:a", amount_nano=epoch, window="day")
    return Live(format=FORMAT, epoch=epoch, budgets={"b": budget})


def test_what_is_published_is_served_to_every_process(tmp_path: Path) -> None:
    control, worker = Snapshots(tmp_path), Snapshots(tmp_path)
    with pytest.raises(StateError):
        worker.current()
    generation = control.publish(config=_config("a"), live=_live(1))
    assert worker.generation == generation
    assert worker.current() == (_config("a"), _live(1))
    control.publish(live=_live(2))
    assert worker.current() == (_config("a"), _live(2))


def test_apply_waits_for_live_workers_and_names_the_late(tmp_path: Path) -> None:
    control, worker = Snapshots(tmp_path), Snapshots(tmp_path)
    first = control.publish(config=_config("a"), live=_live(1))
    worker.confirm(3, first)
    assert control.wait_served(first) == []
    second = control.publish(live=_live(2))
    assert control.wait_served(second, timeout=0.02) == [3]
    worker.confirm(3, second)
    assert control.wait_served(second) == []
    worker.confirm(3, 0)
    assert control.serving() == {}


def test_a_worker_that_died_is_not_waited_for_though_its_process_id_lives(tmp_path: Path) -> None:
    control = Snapshots(tmp_path)
    generation = control.publish(config=_config("a"), live=_live(1))
    script = (
        "import os, sys; os.getpid = lambda: int(sys.argv[2])\n"
        "from pathlib import Path; from noria.storage.snapshots import Snapshots\n"
        "Snapshots(Path(sys.argv[1])).confirm(3, 1); print('ready', flush=True); sys.stdin.read()"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path), str(os.getpid())],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert process.stdout is not None and process.stdout.readline() == b"ready\n"
    assert control.serving() == {3: generation}
    process.kill()
    process.wait()
    assert control.serving() == {}


def test_old_files_go_and_another_format_is_refused(tmp_path: Path) -> None:
    control = Snapshots(tmp_path)
    for epoch in range(1, KEPT + 5):
        control.publish(config=_config("a"), live=_live(epoch))
    assert len(list(tmp_path.glob("live-*"))) == KEPT
    control.publish(live=Live(format=FORMAT + 1, epoch=99))
    with pytest.raises(StateError, match="another version"):
        control.current()
