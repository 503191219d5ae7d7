"""Backups taken while a spool is written and drained: each call once, and damage is told."""

from __future__ import annotations

import json
import os
import tarfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import zstandard

from noria.core.usage import Usage
from noria.errors import NoriaError, StateError, UserError
from noria.runtime.backup import back_up, restore
from noria.runtime.collector import Collector
from noria.storage.backup import hold
from noria.storage.blobs import FolderBlobs
from noria.storage.database import Database
from noria.storage.home import Home
from noria.storage.ledger import LedgerStore
from noria.storage.spans import SpanStore
from noria.storage.spool import SpoolWriter
from noria.storage.stored import StoredReader
from noria.tracing.record import Attempt, Begin, Call, End, Stored
from noria.tracing.store import Window

USAGE = Usage(input=10, output=5, provenance="reported")


def records(n: int) -> tuple[Begin, End, Stored]:
    """A whole call: trace n."""
    now = time.time_ns()
    trace, root, span = n.to_bytes(16, "big"), n.to_bytes(8, "big"), (n + (1 << 40)).to_bytes(8, "big")
    first = Begin(
        trace=trace, root=root, span=span, at=now, key="key_1", route="smart", target="p/m", price="x",
        bound_nano=1_000, project="default", team="t", user="ann",
    )  # fmt: skip
    attempt = Attempt(
        span=span, start=now, end=now, target="p/m", provider="p", model="m", dialect="openai", outcome="ok",
        status=200, usage=USAGE, cost="0.000002",
    )  # fmt: skip
    call = Call(
        trace=trace, span=root, parent=b"", start=now, end=now, operation="chat", dialect="openai",
        route="smart", model="smart", target="p/m", status=200, stream=False, key="key_1", project="default",
        team="t", user="ann", session="", episode="", tags={}, cache="off", attempts=1, usage=USAGE,
        cost="0.000002", first_token=0, stop_reason="stop", error_kind="", error="", config="",
        request=b'{"messages":[{"role":"user","content":"' + os.urandom(300).hex().encode() + b'"}]}',
    )  # fmt: skip
    kept = Stored(f"resp_{n}", "response", "default", "key_1", now, b'{"id":"resp"}', trace=trace)
    return first, End(trace, root, (attempt,), call), kept


@contextmanager
def collecting(home: Home) -> Iterator[Collector]:
    collector = Collector(home, price_of=lambda provider, model: None)
    thread = threading.Thread(target=collector.run)
    thread.start()
    try:
        yield collector
    finally:
        collector.stop()
        thread.join(20)


@contextmanager
def writing(home: Home, written: list[int], *, first: int = 1, pause: float = 0.0005) -> Iterator[None]:
    """Calls put on record in a thread; `written` has those that are."""
    over = threading.Event()
    spool = SpoolWriter(home.spool, writer="worker-0", limit_bytes=1 << 30, segment_bytes=1 << 16)

    def write() -> None:
        n = first
        while not over.is_set():
            for record in records(n):
                spool.append(record)
            written.append(n)
            n += 1
            time.sleep(pause)

    thread = threading.Thread(target=write)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
        spool.close()


def everything() -> Window:
    now = time.time_ns()
    return Window(now - 86_400 * 10**9, now + 86_400 * 10**9)


def traces(home: Home) -> list[int]:
    found: list[int] = []
    cursor = None
    while True:
        page = SpanStore(home.spans).traces("default", everything(), cursor=cursor, limit=500)
        found += [int(item.id, 16) for item in page.items]
        cursor = page.next
        if cursor is None:
            return found


@pytest.fixture
def source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A noria.toml beside a state folder with a noria.db."""
    monkeypatch.delenv("NORIA_HOME", raising=False)
    folder = tmp_path / "source"
    (folder / "conf.d").mkdir(parents=True)
    (folder / "noria.toml").write_text('include = ["conf.d/*.toml"]\n[server]\nport = 1\n')
    (folder / "conf.d" / "one.toml").write_text('[providers.groq]\napi_key = "env:GROQ_KEY"\n')
    home = Home.beside(folder / "noria.toml")
    Database.open(home.database).close()
    home.pepper()
    return folder / "noria.toml"


def quiet(what: str) -> None:
    pass


@pytest.mark.parametrize("stalled", [False, True])
def test_each_call_on_record_before_a_backup_is_restored_once(
    source: Path, tmp_path: Path, stalled: bool
) -> None:
    home = Home.beside(source)
    written: list[int] = []
    backups: list[tuple[int, Path]] = []
    with writing(home, written):
        with collecting(home):
            time.sleep(0.3)
            for number in range(0 if stalled else 4):
                backups.append((written[-1], tmp_path / f"{number}"))
                back_up(source, backups[-1][1], report=quiet)
        time.sleep(0.3)
        if stalled:  # Much is in the spool alone.
            backups.append((written[-1], tmp_path / "stalled"))
            back_up(source, backups[-1][1], report=quiet)
    for last, backup in backups:
        target = tmp_path / f"restored-{backup.name}"
        restore(backup, target)
        restored = Home(target / ".noria")
        with collecting(restored) as collector:
            collector.drain().result(20)
            collector.drain().result(20)
        found = traces(restored)
        assert len(found) == len(set(found))
        assert set(range(1, last + 1)) <= set(found)
        # Prefix: nothing is missing between the first and the last; the last may have been under way.
        assert sorted(found) == list(range(1, len(found) + 1))
        assert (
            abs(
                LedgerStore(restored.ledger).costs("default", everything(), by="model").total.calls
                - len(found)
            )
            <= 1
        )
        assert StoredReader(restored.stored).get("default", f"resp_{last}") is not None


def test_numbers_of_segments_are_not_used_again(source: Path, tmp_path: Path) -> None:
    """Else a cursor of an old segment would hide the records of a new one."""
    home = Home.beside(source)
    written: list[int] = []
    with collecting(home) as collector, writing(home, written):
        time.sleep(0.5)
        back_up(source, tmp_path / "b", report=quiet)
        collector.drain().result(20)
    restore(tmp_path / "b", tmp_path / "restored")
    restored = Home(tmp_path / "restored" / ".noria")
    more: list[int] = []
    with collecting(restored) as collector:
        with writing(restored, more, first=10**6):
            time.sleep(0.3)
        collector.drain().result(20)
    assert set(more) <= set(traces(restored))


def test_archive_holds_configuration_secret_and_blobs(source: Path, tmp_path: Path) -> None:
    home = Home.beside(source)
    digest = FolderBlobs(home.blobs).put(b"a large value")
    said: list[str] = []
    made = back_up(source, tmp_path / "b.tar.zst", report=said.append)
    assert "noria.db" in said
    assert made.rows("noria.db")["alembic_version"] == 1
    assert any("env:GROQ_KEY" in words for words in made.left_out)
    assert (tmp_path / "b.tar.zst").stat().st_mode & 0o077 == 0
    assert restore(tmp_path / "b.tar.zst", tmp_path / "restored") == made
    target = tmp_path / "restored"
    assert (target / "conf.d" / "one.toml").read_text() == (source.parent / "conf.d" / "one.toml").read_text()
    restored = Home(target / ".noria")
    assert restored.pepper() == home.pepper()
    assert FolderBlobs(restored.blobs).get(digest) == b"a large value"
    Database.open(restored.database).close()
    assert not list(tmp_path.glob(".*")), "no work folder is left"


def test_refusals(source: Path, tmp_path: Path) -> None:
    back_up(source, tmp_path / "b", report=quiet)
    full = tmp_path / "full"
    full.mkdir()
    (full / "something").touch()
    for refused, words in (
        (lambda: back_up(source, tmp_path / "b", report=quiet), "exists already"),
        (lambda: back_up(source, tmp_path / "no" / "b", report=quiet), "is not a folder"),
        (lambda: back_up(tmp_path / "noria.toml", tmp_path / "c", report=quiet), "no state"),
        (lambda: restore(tmp_path / "b", full), "is not empty"),
        (lambda: restore(tmp_path / "nothing", tmp_path / "c"), "no backup"),
        (lambda: restore(full, tmp_path / "c"), "not made by Noria"),
        (lambda: restore(source, tmp_path / "c"), "cannot be restored"),
    ):
        with pytest.raises(NoriaError, match=words):
            refused()
    assert not (tmp_path / "c").exists()


def _flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def _lie(path: Path) -> None:
    manifest = json.loads((path / "manifest.json").read_text())
    for file in manifest["files"]:
        if file["name"] == "state/noria.db":
            file["rows"]["alembic_version"] = 7
    (path / "manifest.json").write_text(json.dumps(manifest))


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda path: _flip(path / "state" / "noria.db"), "damaged"),
        (lambda path: (path / "state" / "secret").unlink(), "lacks state/secret"),
        (lambda path: (path / "state" / "more").write_text("x"), "beside its manifest"),
        (lambda path: (path / "manifest.json").unlink(), "cut short"),
        (_lie, "other numbers of rows"),
    ],
)
def test_damage_is_told_and_leaves_nothing(
    source: Path, tmp_path: Path, damage: Callable[[Path], None], words: str
) -> None:
    back_up(source, tmp_path / "b", report=quiet)
    damage(tmp_path / "b")
    with pytest.raises(StateError, match=words):
        restore(tmp_path / "b", tmp_path / "restored")
    assert not (tmp_path / "restored").exists() and not list(tmp_path.glob(".*"))


def test_a_cut_archive_and_one_that_climbs_out_are_refused(source: Path, tmp_path: Path) -> None:
    whole = tmp_path / "b.tar.zst"
    back_up(source, whole, report=quiet)
    cut = tmp_path / "cut.tar.zst"
    cut.write_bytes(whole.read_bytes()[:-200])
    with pytest.raises(StateError):
        restore(cut, tmp_path / "restored")
    evil = tmp_path / "evil.tar.zst"
    with zstandard.open(evil, "wb") as file, tarfile.open(fileobj=file, mode="w|") as archive:
        (tmp_path / "x").write_text("x")
        archive.add(tmp_path / "x", arcname="state/../../outside")
    with pytest.raises(StateError, match="not made by Noria"):
        restore(evil, tmp_path / "restored")
    assert not (tmp_path / "outside").exists() and not (tmp_path / "restored").exists()


def test_a_damaged_database_is_told_before_anything_is_written(source: Path, tmp_path: Path) -> None:
    Home.beside(source).ledger.write_bytes(b"not a database, and long enough to be read as one" * 100)
    with pytest.raises(StateError, match="damaged"):
        back_up(source, tmp_path / "b", report=quiet)
    assert not (tmp_path / "b").exists()


def test_the_moment_is_found_again_when_segments_go_meanwhile(source: Path) -> None:
    home = Home.beside(source)
    written: list[int] = []
    with collecting(home), writing(home, written, pause=0):
        for _ in range(20):
            with hold(home) as moment:
                assert all(os.fstat(one).st_size for one in moment.segments.values())


def test_an_unwritable_place_is_told(source: Path) -> None:
    with pytest.raises(UserError):
        back_up(source, Path("/proc/backup"), report=quiet)
