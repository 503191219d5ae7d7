import os
from pathlib import Path

import apsw
import pytest

from noria.storage.sqlite import open_writer, sync

STEPS = ("CREATE TABLE t (x)",)


def test_a_sync_reaches_the_disk_also_while_a_reader_holds_the_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A checkpoint that may copy nothing syncs nothing."""
    writer = open_writer(tmp_path / "a.db", STEPS)
    reader = apsw.Connection(str(tmp_path / "a.db"), flags=apsw.SQLITE_OPEN_READONLY)
    reader.execute("BEGIN; SELECT * FROM t")
    synced: list[int] = []
    real = os.fsync

    def fsync(file: int) -> None:
        synced.append(os.fstat(file).st_ino)
        real(file)

    monkeypatch.setattr(os, "fsync", fsync)
    for _ in range(2):
        writer.execute("INSERT INTO t VALUES (1)")
        sync(writer)
    assert synced == [(tmp_path / "a.db-wal").stat().st_ino] * 2
    reader.close()
    writer.close()
