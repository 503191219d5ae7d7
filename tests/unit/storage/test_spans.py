"""The span store through its public names: written, read back, searched, counted, erased."""

import random
import threading
from datetime import date
from pathlib import Path

import apsw
import pytest

from noria.core.usage import Usage
from noria.errors import InvalidRequest, StateError
from noria.storage.spans import SpanStore, SpanWriter, day_of
from noria.storage.sqlite import migrate
from noria.tracing.assemble import attempt_span, call_span, owner_of, unconfirmed_attempt, unconfirmed_call
from noria.tracing.filters import parse
from noria.tracing.record import Attempt, Begin, Call
from noria.tracing.span import Event, Span
from noria.tracing.store import Mark, Window

DAY = date(2026, 11, 20)
NOON = 1_795_176_000_000_000_000  # 2026-11-20T12:00:00Z
MS = 1_000_000
S = 1_000_000_000
WINDOW = Window(NOON - 3600 * S, NOON + 3600 * S)


def same(span: Span) -> Span:
    return span


@pytest.fixture
def writer(tmp_path: Path) -> SpanWriter:
    return SpanWriter(tmp_path, complete=same)


@pytest.fixture
def store(tmp_path: Path) -> SpanStore:
    return SpanStore(tmp_path)


def gateway_call(
    number: int,
    *,
    at: int = NOON,
    ms: int = 100,
    text: str = "hello there",
    targets: tuple[str, ...] = ("openai/gpt-4o",),
    user: str = "ann",
    session: str = "",
    error: str = "",
    cost: str | None = "0.0001",
    parent: bytes = b"",
    trace: bytes | None = None,
    project: str = "default",
    tags: dict[str, str] | None = None,
) -> list[Span]:
    trace = trace or number.to_bytes(16, "big")
    root = (number + 1).to_bytes(8, "big")
    usage = Usage(input=10, output=5, provenance="reported")
    attempts = tuple(
        Attempt(
            span=(number * 100 + index + 1_000_000).to_bytes(8, "big"), start=at, end=at + ms * MS,
            target=target,
            provider=target.partition("/")[0], model=target.partition("/")[2], dialect="openai",
            outcome="error" if error or index < len(targets) - 1 else "ok", status=500 if error else 200,
            error_kind=error, usage=usage, cost=cost,
        )
        for index, target in enumerate(targets)
    )  # fmt: skip
    call = Call(
        trace=trace, span=root, parent=parent, start=at, end=at + ms * MS, operation="chat",
        dialect="openai", route="smart", model="smart", target=targets[-1], status=500 if error else 200,
        stream=False, key="key_1",
        project=project, team="search", user=user, session=session, episode="", tags=tags or {}, cache="miss",
        attempts=len(attempts), usage=usage, cost=cost, first_token=at + 20 * MS, stop_reason="stop",
        error_kind=error, error="", config="sha256:c",
        request=b'{"messages":[{"role":"user","content":"%s"}]}' % text.encode(),
        response=b'{"choices":[{"message":{"content":"The refund is on its way"}}]}',
    )  # fmt: skip
    owner = owner_of(call)
    return [call_span(call), *(attempt_span(one, trace=trace, root=root, owner=owner) for one in attempts)]


def otlp(
    trace: int, span: int, *, parent: int | None = None, start: int = NOON, ms: int = 50, **more: object
) -> Span:
    fields: dict[str, object] = {"name": "step", "source": "otlp"} | more
    return Span(
        trace_id=trace.to_bytes(16, "big"), span_id=span.to_bytes(8, "big"),
        parent_id=parent.to_bytes(8, "big") if parent else None, start=start, end=start + ms * MS,
        **fields,  # pyright: ignore
    )  # fmt: skip


def test_a_call_is_one_trace_with_its_attempts_below_it(writer: SpanWriter, store: SpanStore) -> None:
    writer.write(DAY, gateway_call(1, targets=("openai/gpt-4o", "azure/gpt-4o")), {("w", 1): 99})
    page = store.traces("default", WINDOW)
    assert page.total == 1 and page.next is None
    line = page.items[0]
    assert (line.name, line.model, line.provider, line.route, line.spans) == (
        "chat smart",
        "gpt-4o",
        "azure",
        "smart",
        3,
    )
    assert (line.input_tokens, line.cost, line.attempts, line.duration_ms) == (10, "0.0001", 2, 100.0)
    assert (line.input, line.output) == ("hello there", "The refund is on its way")
    found = store.trace("default", bytes.fromhex(line.id))
    assert found is not None and found.summary.cost == "0.0001"
    assert [span.kind for span in found.spans] == ["server", "client", "client"]
    assert found.spans[0].critical and found.spans[0].input is not None
    assert found.spans[1].parent == found.spans[0].id
    assert writer.cursors([DAY]) == {("w", 1): 99}
    pulse = store.pulse("default", WINDOW, step_s=300)
    assert (
        pulse.totals.requests == 1 and pulse.totals.fallback_share == 1.0 and pulse.totals.retry_share == 0.0
    )


def test_other_projects_see_nothing(writer: SpanWriter, store: SpanStore) -> None:
    writer.write(DAY, gateway_call(1), {})
    id = (1).to_bytes(16, "big")
    assert store.traces("other", WINDOW).items == []
    assert store.trace("other", id) is None
    assert store.pulse("other", WINDOW, step_s=300).totals.requests == 0
    writer.write(DAY, gateway_call(1, project="other", text="theirs"), {})
    mine, theirs = store.trace("default", id), store.trace("other", id)
    assert mine is not None and theirs is not None
    assert mine.summary.input == "hello there" and theirs.summary.input == "theirs"


def test_writing_a_span_twice_changes_no_count(writer: SpanWriter, store: SpanStore) -> None:
    spans = gateway_call(1) + gateway_call(2, error="server")
    for _ in range(3):
        writer.write(DAY, spans, {})
    pulse = store.pulse("default", WINDOW, step_s=300)
    assert (pulse.totals.requests, pulse.totals.errors, pulse.totals.cost) == (2, 1, "0.0002")
    assert {name: sum(counts) for name, counts in pulse.series.errors.items()} == {"server": 1}
    assert store.traces("default", WINDOW, filter=parse("refund")).total == 2


def test_the_innermost_recorded_call_counts(writer: SpanWriter, store: SpanStore) -> None:
    gateway = gateway_call(1, parent=(8).to_bytes(8, "big"), trace=(7).to_bytes(16, "big"))
    outer = otlp(7, 9, name="ChatOpenAI", operation="chat", model="gpt-4o", cost_pico=100_000_000, ms=200)
    http = otlp(7, 8, parent=9, name="POST", ms=150)
    for order in ([[*gateway], [http, outer]], [[outer, http], gateway]):
        trace = random.randbytes(16)
        moved = [[_moved(span, trace) for span in part] for part in order]
        project = moved[0][0].project
        before = store.pulse(project, WINDOW, step_s=300).totals.requests
        covered = [writer.write(DAY, part, {}).covered for part in moved]
        pulse = store.pulse(project, WINDOW, step_s=300)
        assert pulse.totals.requests - before == 1
        found = store.trace(project, trace)
        assert found is not None and found.summary.cost == "0.0001" and found.summary.name == "ChatOpenAI"
        assert sum(map(len, covered)) == (1 if order[0][0] is outer else 0)


def _moved(span: Span, trace: bytes) -> Span:
    import msgspec

    return msgspec.structs.replace(span, trace_id=trace)


def test_spans_may_come_in_any_order_and_twice(tmp_path: Path) -> None:
    spans = [otlp(1, 1, name="root", ms=500, session="s", input="first words")]
    spans += [otlp(1, n, parent=n // 2, start=NOON + n * MS, name=f"s{n}") for n in range(2, 40)]
    seen = []
    for seed in range(3):
        folder = tmp_path / str(seed)
        folder.mkdir()
        writer, store = SpanWriter(folder, complete=same), SpanStore(folder)
        shuffled = spans * 2
        random.Random(seed).shuffle(shuffled)
        for index in range(0, len(shuffled), 7):
            writer.write(DAY, shuffled[index : index + 7], {})
        found = store.trace("default", (1).to_bytes(16, "big"))
        assert found is not None
        seen.append((found.summary, [span.id for span in found.spans]))
    assert seen[0] == seen[1] == seen[2]
    assert seen[0][0].name == "root" and seen[0][0].spans == 39 and seen[0][0].input == "first words"


def test_events_that_come_apart_from_their_span_are_joined(tmp_path: Path) -> None:
    import msgspec

    def complete(span: Span) -> Span:
        return msgspec.structs.replace(span, input=str(len(span.events)))

    event = Event("gen_ai.user.message", NOON, {"content": "x"})
    for first in (True, False):
        folder = tmp_path / str(first)
        folder.mkdir()
        writer, store = SpanWriter(folder, complete=complete), SpanStore(folder)
        parts = [otlp(1, 1, name="", events=(event,), ms=0), otlp(1, 1, name="chat", operation="chat")]
        for part in parts if first else reversed(parts):
            writer.write(DAY, [part], {})
        found = store.trace("default", (1).to_bytes(16, "big"))
        assert found is not None and len(found.spans) == 1
        assert (found.spans[0].name, found.spans[0].input) == ("chat", "1")
        assert [event.name for event in found.spans[0].events] == ["gen_ai.user.message"]
        assert store.pulse("default", WINDOW, step_s=300).totals.requests == 1


def many(writer: SpanWriter, count: int = 400) -> None:
    spans: list[Span] = []
    for n in range(count):
        spans += gateway_call(
            n, at=NOON + n * S, ms=10 + n, user=f"user-{n % 7}", session=f"session-{n % 5}" if n % 2 else "",
            text=f"question {n} about {'parking tickets' if n % 10 == 0 else 'weather'}",
            error="rate_limited" if n % 20 == 0 else "", cost=None if n % 50 == 0 else f"0.{n + 1:04d}",
            targets=("openai/gpt-4o-mini",) if n % 3 else ("anthropic/claude",),
            tags={"env": "prod" if n % 4 else "dev"},
        )  # fmt: skip
    writer.write(DAY, spans, {})


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("model:gpt-*", lambda n: n % 3 != 0),
        ("-model:gpt-*", lambda n: n % 3 == 0),
        ("status:error", lambda n: n % 20 == 0),
        ("latency>300ms", lambda n: 10 + n > 300),
        ("latency<=0.3s", lambda n: 10 + n <= 300),
        ("cost>0.03", lambda n: n % 50 != 0 and (n + 1) / 10_000 > 0.03),
        ("-has:cost", lambda n: n % 50 == 0),
        ("user:user-1,user-2", lambda n: n % 7 in (1, 2)),
        ("tag.env:dev", lambda n: n % 4 == 0),
        ("session:session-3 provider:openai", lambda n: n % 2 and n % 5 == 3 and n % 3),
        ("parking", lambda n: n % 10 == 0),
        ('"parking tickets"', lambda n: n % 10 == 0),
        ('"tickets parking"', lambda n: False),
        ('-"parking tickets" -weather', lambda n: False),
        ("weath*", lambda n: n % 10 != 0),
        ('"question 17"', lambda n: n == 17),
        ("http:500", lambda n: n % 20 == 0),
        ("error:rate*", lambda n: n % 20 == 0),
        ("tokens>=15 attempts:1", lambda n: True),
        ("has:feedback", lambda n: False),
        ("has:input has:output has:user", lambda n: True),
    ],
)
def test_filters(tmp_path: Path, text: str, wanted: object) -> None:
    folder = _filled(tmp_path)
    store = SpanStore(folder)
    expected = [n for n in range(400) if wanted(n)]  # pyright: ignore
    found: list[int] = []
    cursor = None
    while True:
        page = store.traces("default", WINDOW, filter=parse(text), cursor=cursor, limit=37)
        found += [int(item.id, 16) for item in page.items]
        cursor = page.next
        if cursor is None:
            break
    assert found == expected[::-1]
    if '"' not in text or text == '"question 17"':
        if "question" not in text:
            assert store.pulse("default", WINDOW, step_s=60, filter=parse(text)).totals.requests == len(
                expected
            )
        assert sum(map(sum, store.heatmap("default", WINDOW, filter=parse(text)).counts)) >= len(expected)


_made: dict[str, Path] = {}


def _filled(tmp_path: Path) -> Path:
    if "folder" not in _made:
        _made["folder"] = tmp_path
        writer = SpanWriter(tmp_path, complete=same)
        many(writer)
        writer.close()
    return _made["folder"]


@pytest.mark.parametrize("sort", ["newest", "oldest", "slowest", "costliest"])
def test_sorts_page_without_gap_or_repeat_over_days(tmp_path: Path, sort: str) -> None:
    writer, store = SpanWriter(tmp_path, complete=same), SpanStore(tmp_path)
    random.seed(5)
    for day in range(3):
        spans: list[Span] = []
        for n in range(50):
            ms, cost = random.choice([10, 20, 30]), random.choice(["0.1", "0.2", None])
            spans += gateway_call(
                day * 100 + n, at=NOON + day * 86_400 * S + random.randrange(100) * S, ms=ms, cost=cost
            )
        writer.write(date(2026, 11, 20 + day), spans, {})
    window = Window(NOON - S, NOON + 3 * 86_400 * S)
    whole = store.traces("default", window, sort=sort, limit=500)  # pyright: ignore
    assert whole.total == 150 and len({item.id for item in whole.items}) == 150
    keys = {
        "newest": lambda item: -item.start_ms, "oldest": lambda item: item.start_ms,
        "slowest": lambda item: -item.duration_ms, "costliest": lambda item: -float(item.cost or -1),
    }  # fmt: skip
    assert [keys[sort](item) for item in whole.items] == sorted(keys[sort](item) for item in whole.items)
    paged, cursor = [], None
    while True:
        page = store.traces("default", window, sort=sort, cursor=cursor, limit=11)  # pyright: ignore
        paged += page.items
        cursor = page.next
        if cursor is None:
            break
    assert [item.id for item in paged] == [item.id for item in whole.items]


def test_pulse_from_rollups_equals_pulse_from_calls(writer: SpanWriter, store: SpanStore) -> None:
    many(writer)
    marks = [Mark(NOON / 1e6, "config", "applied"), Mark(0, "config", "long ago")]
    fine = store.pulse("default", WINDOW, step_s=60, marks=marks)
    for step in (300, 3600):
        rolled = store.pulse("default", WINDOW, step_s=step)
        assert rolled.totals == fine.totals
        assert sum(map(sum, rolled.series.errors.values())) == fine.totals.errors == 20
        assert len(rolled.times_ms) == len(rolled.series.p50_ms) == 7200 // step
    assert fine.totals.requests == 400
    assert [mark.label for mark in fine.marks] == ["applied"]
    assert fine.totals.p50_ms == pytest.approx(209.5, rel=0.02)
    assert fine.totals.p99_ms == pytest.approx(405, rel=0.02)
    assert fine.totals.unknown_cost == 8
    assert [item.duration_ms for item in fine.slowest] == [409.0, 408.0, 407.0, 406.0, 405.0]
    assert (
        store.pulse("default", WINDOW, step_s=300, filter=parse("model:claude team:search")).totals.requests
        == 134
    )
    with pytest.raises(InvalidRequest, match="longer"):
        store.pulse("default", Window(0, NOON), step_s=1)


def test_heatmap_and_facets_count_every_trace(writer: SpanWriter, store: SpanStore) -> None:
    many(writer)
    for window in (WINDOW, Window(NOON - 86_400 * S, NOON + 86_400 * S)):
        found = store.heatmap("default", window)
        assert sum(map(sum, found.counts)) == 400
        assert len(found.counts) == len(found.times_ms) and len(found.edges_ms) == len(found.counts[0]) + 1
        assert found.edges_ms == sorted(found.edges_ms)
        assert found.edges_ms[0] < 10 and found.edges_ms[-1] >= 409
    facets = store.facets("default", WINDOW)
    assert facets.sampled is None
    assert {item.value: item.count for item in facets.fields["model"]} == {"gpt-4o-mini": 266, "claude": 134}
    assert [item.count for item in facets.fields["status"]] == [380, 20]
    assert len(store.facets("default", WINDOW, filter=parse("user:user-3")).fields["user"]) == 1


def test_sessions(writer: SpanWriter, store: SpanStore) -> None:
    many(writer)
    page = store.sessions("default", WINDOW, limit=2)
    rest = store.sessions("default", WINDOW, limit=10, cursor=page.next)
    assert [item.id for item in page.items + rest.items] == [f"session-{n}" for n in (4, 2, 0, 3, 1)]
    assert page.total == 5 and page.items[0].traces == 40
    found = store.session("default", "session-1")
    assert found is not None and len(found.traces) == 40 and found.summary.input.startswith("question 1 ")
    assert [item.start_ms for item in found.traces] == sorted(item.start_ms for item in found.traces)
    assert store.session("default", "none") is None


def test_a_trace_over_midnight_is_one(writer: SpanWriter, store: SpanStore) -> None:
    first = otlp(1, 2, parent=1, name="early", ms=10, input="only words")
    late = otlp(1, 1, name="root", start=NOON, ms=500)
    writer.write(DAY, [first, otlp(2, 5)], {})
    writer.write(date(2026, 11, 21), [late], {})
    found = store.traces("default", WINDOW)
    assert [(item.name, item.spans, item.duration_ms) for item in found.items] == [
        ("root", 2, 500.0),
        ("step", 1, 50.0),
    ]
    detail = store.trace("default", (1).to_bytes(16, "big"))
    assert detail is not None and [span.name for span in detail.spans] == ["root", "early"]
    assert detail.summary == found.items[0]


def test_what_is_new_is_seen_once(writer: SpanWriter, store: SpanStore) -> None:
    writer.write(DAY, gateway_call(1), {})
    nothing, position = store.since("default", None)
    assert nothing == [] and store.since("default", position)[0] == []
    writer.write(DAY, gateway_call(2) + gateway_call(3), {})
    writer.write(date(2026, 11, 21), gateway_call(4), {})
    first, position = store.since("default", position, limit=1)
    rest, position = store.since("default", position)
    assert [int(item.id, 16) for item in first + rest] == [2, 3, 4]
    assert store.since("default", position) == ([], position)


def test_unconfirmed_spans_say_so(writer: SpanWriter, store: SpanStore) -> None:
    begin = Begin(
        trace=b"t" * 16,
        root=b"r" * 8,
        span=b"s" * 8,
        at=NOON,
        key="k",
        route="smart",
        target="p/m",
        price="x",
        bound_nano=5,
    )
    attempt = unconfirmed_attempt(begin, at=NOON + S)
    writer.write(
        DAY, [attempt, unconfirmed_call(begin, attempts=1, cost_pico=attempt.cost_pico, at=NOON + S)], {}
    )
    line = store.traces("default", WINDOW).items[0]
    assert line.unconfirmed and line.cost == "0.000000005" and line.error_kind == "unconfirmed"
    totals = store.pulse("default", WINDOW, step_s=300).totals
    assert totals.requests == 1 and totals.p50_ms is None


def test_erasing_a_user_leaves_no_text(tmp_path: Path) -> None:
    writer, store = SpanWriter(tmp_path, complete=same), SpanStore(tmp_path)
    writer.write(DAY, gateway_call(1, user="zoe", text="xylophone secret") + gateway_call(2, user="bob"), {})
    traces, spans = writer.erase("default", "zoe")
    assert traces == [(1).to_bytes(16, "big")] and spans == 2
    assert [item.user for item in store.traces("default", WINDOW).items] == ["bob"]
    assert store.traces("default", WINDOW, filter=parse("xylophone")).items == []
    writer.close()
    assert b"xylophone" not in (tmp_path / "2026-11-20.db").read_bytes()


class Xor:
    def encrypt(self, data: bytes) -> bytes:
        return bytes(byte ^ 0x5A for byte in data)

    decrypt = encrypt


def test_a_cipher_hides_the_texts(tmp_path: Path) -> None:
    writer, store = SpanWriter(tmp_path, complete=same, cipher=Xor()), SpanStore(tmp_path, cipher=Xor())
    for n in range(1000):
        writer.write(DAY, gateway_call(n, text="xylophone secret"), {})
    item = store.traces("default", WINDOW).items[0]
    found = store.trace("default", bytes.fromhex(item.id))
    assert (
        item.input == "xylophone secret" and found is not None and "xylophone" in (found.spans[0].input or "")
    )
    with pytest.raises(InvalidRequest, match="encrypted"):
        store.traces("default", WINDOW, filter=parse("xylophone"))
    writer.close()
    assert not any(b"xylophone" in path.read_bytes() for path in tmp_path.iterdir())


def test_retention_deletes_whole_days(tmp_path: Path) -> None:
    writer, store = SpanWriter(tmp_path, complete=same), SpanStore(tmp_path)
    days = [date(2026, 11, n) for n in (1, 10, 19, 20)]
    for n, day in enumerate(days):
        writer.write(day, gateway_call(n), {})
    wide = Window(NOON - S, NOON + S)
    assert store.traces("default", wide).total == 4
    assert writer.keep(days=14, size_bytes=None, today=DAY) == [days[0]]
    assert store.traces("default", wide).total == 3
    assert writer.keep(days=None, size_bytes=1, today=DAY) == days[1:3]
    assert [item.id for item in store.traces("default", wide).items] == [(3).to_bytes(16, "big").hex()]


def test_a_file_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    writer = SpanWriter(tmp_path, complete=same)
    writer.write(DAY, gateway_call(1), {})
    writer.close()
    connection = apsw.Connection(str(tmp_path / "2026-11-20.db"))
    connection.execute("PRAGMA user_version=99")
    connection.close()
    with pytest.raises(StateError, match="newer"):
        SpanStore(tmp_path).traces("default", WINDOW)
    with pytest.raises(StateError, match="newer"):
        SpanWriter(tmp_path, complete=same).write(DAY, gateway_call(2), {})


def test_a_failing_step_leaves_the_old_schema_usable(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    connection = apsw.Connection(str(path))
    migrate(connection, ["CREATE TABLE a (x)"], path=path)
    connection.execute("INSERT INTO a VALUES (1)")
    with pytest.raises(StateError, match="unchanged"):
        migrate(connection, ["", "CREATE TABLE b (y); INSERT INTO nowhere VALUES (1)"], path=path)
    assert connection.execute("SELECT x FROM a").fetchall() == [(1,)]
    assert connection.pragma("user_version") == 1
    migrate(connection, ["", "CREATE TABLE b (y)"], path=path)
    assert connection.execute("SELECT * FROM b").fetchall() == []


def test_readers_in_threads_while_writing(writer: SpanWriter, store: SpanStore) -> None:
    writer.write(DAY, gateway_call(0), {})
    failures: list[BaseException] = []
    stop = threading.Event()

    def read() -> None:
        last = 0
        try:
            while not stop.is_set():
                total = store.traces("default", WINDOW, limit=1).total or 0
                assert total >= last
                last = total
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=read) for _ in range(3)]
    for thread in threads:
        thread.start()
    for n in range(1, 60):
        writer.write(DAY, gateway_call(n), {})
    stop.set()
    for thread in threads:
        thread.join()
    assert not failures


def test_days_are_utc() -> None:
    assert day_of(NOON) == DAY
