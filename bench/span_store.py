"""The span store at a million spans: what each query takes, and what taking spans in costs.

    python bench/span_store.py --spans 1000000 --folder /tmp/span-store

Spans are seeded and realistic: gateway calls with one to three attempts, and OTLP traces of agents with
retrieval, tools and model calls, 2 kB of text on each span that has any, spread over three days. Times are
medians of `--repeats` runs in milliseconds; costs are CPU time of the process.
"""

from __future__ import annotations

import argparse
import random
import shutil
import statistics
import time
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import NamedTuple

from noria.storage.spans import SpanStore, SpanWriter, day_of
from noria.tracing.filters import parse
from noria.tracing.otlp import complete
from noria.tracing.span import Span
from noria.tracing.store import Window

DAYS = 3
DAY_NS = 86_400_000_000_000
END = 1_795_219_200_000_000_000  # 2026-11-21T00:00:00Z
TEXT = 2_000
BATCH = 4_000
MODELS = (
    "openai/gpt-4o",
    "openai/gpt-4o-mini",
    "anthropic/claude-sonnet",
    "google/gemini-flash",
    "local/smollm2",
)
ROUTES = ("assistant", "search", "summary", "extract")
TEAMS = ("web", "mobile", "support", "data", "")
STEPS = ("retrieve", "plan", "rank", "parse", "guard")
TOOLS = ("lookup_order", "get_weather", "search_docs")
CONFIG = "sha256:" + "ab" * 32


class Words:
    """Text with a vocabulary of 20,000 words whose frequencies fall like 1/rank (Zipf)."""

    def __init__(self, random: random.Random) -> None:
        self._random = random
        letters = "etaoinshrdlucmfwypvbgkjqxz"
        vocabulary = ["".join(random.choices(letters, k=random.randint(2, 10))) for _ in range(20_000)]
        vocabulary[30] = "refund"  # Common: in about half of the texts.
        vocabulary[19_000] = "zyzzyva"  # Rare.
        weights = [1 / (rank + 1) for rank in range(len(vocabulary))]
        self._pool = " ".join(random.choices(vocabulary, weights, k=2_000_000))

    def text(self, length: int) -> str:
        at = self._random.randrange(len(self._pool) - length)
        return self._pool[at : at + length]


def traces(count: int, *, seed: int = 1) -> Iterator[list[Span]]:
    """Whole traces in order of time until `count` spans are made."""
    chance = random.Random(seed)
    words = Words(chance)
    made = 0
    number = 0
    per_trace = 5.3
    step = DAYS * DAY_NS / (count / per_trace)
    while made < count:
        start = int(END - DAYS * DAY_NS + number * step + chance.random() * step)
        spans = (_gateway if chance.random() < 0.5 else _agent)(chance, words, start)
        number += 1
        made += len(spans)
        yield spans


def _milliseconds(chance: random.Random) -> int:
    return int(chance.lognormvariate(6.6, 0.9)) + 20


def _gateway(chance: random.Random, words: Words, start: int, *, parent: Span | None = None) -> list[Span]:
    trace = parent.trace_id if parent else chance.randbytes(16)
    root = chance.randbytes(8)
    tries = chance.choices((1, 2, 3), (94, 5, 1))[0]
    failed = chance.random() < 0.02
    route, team = chance.choice(ROUTES), chance.choice(TEAMS)
    user, session = f"user-{chance.randrange(5_000)}", f"session-{chance.randrange(40_000)}"
    common = {
        "key": f"key_{chance.randrange(40)}", "team": team, "user": user, "route": route, "config": CONFIG,
        "session": session, "source": "gateway", "operation": "chat", "service": "noria",
    }  # fmt: skip
    spans: list[Span] = []
    at = start + 300_000
    for index in range(tries):
        target = chance.choice(MODELS)
        ok = index == tries - 1 and not failed
        end = at + _milliseconds(chance) * 1_000_000
        tokens = (chance.randrange(200, 3_000), chance.randrange(20, 600)) if ok else (None, None)
        spans.append(
            Span(
                trace_id=trace, span_id=chance.randbytes(8), parent_id=root, name=f"chat {target}",
                kind="client",
                start=at, end=end, status="ok" if ok else "error", error_kind="" if ok else "server",
                provider=target.partition("/")[0], model=target.partition("/")[2], target=target,
                input_tokens=tokens[0], output_tokens=tokens[1], http_status=200 if ok else 503,
                usage="reported" if ok else "none", cost_pico=chance.randrange(10**8, 10**11) if ok else 0,
                attributes={"noria.dialect": "openai", "noria.outcome": "ok" if ok else "error"}, **common,
            )
        )  # fmt: skip
        at = end
    last = spans[-1]
    call = Span(
        trace_id=trace, span_id=root, parent_id=parent.span_id if parent else None, name=f"chat {route}",
        kind="server", start=start, end=at + 200_000, status=last.status, error_kind=last.error_kind,
        http_status=last.http_status, provider=last.provider, model=route, target=last.target,
        input_tokens=last.input_tokens, output_tokens=last.output_tokens, usage=last.usage,
        cost_pico=last.cost_pico, attempts=tries, cache=chance.choice(("hit", "miss", "miss", "off")),
        first_token=start + 200_000_000, tags={"env": chance.choice(("prod", "dev"))},
        input=f'{{"messages":[{{"role":"user","content":"{words.text(TEXT // 2)}"}}]}}',
        output=f'{{"choices":[{{"message":{{"role":"assistant","content":"{words.text(TEXT // 2)}"}}}}]}}',
        attributes={"noria.dialect": "openai", "user_agent.original": "OpenAI/Python 3.54"}, **common,
    )  # fmt: skip
    return [call, *spans]


def _agent(chance: random.Random, words: Words, start: int) -> list[Span]:
    trace, root = chance.randbytes(16), chance.randbytes(8)
    user = f"user-{chance.randrange(5_000)}"
    spans: list[Span] = []
    at = start
    for _ in range(chance.randrange(4, 12)):
        duration = _milliseconds(chance) * 1_000_000
        kind = chance.random()
        more: dict[str, object] = {"name": chance.choice(STEPS)}
        if kind < 0.35:
            model = chance.choice(MODELS)
            more = {
                "name": f"chat {model}", "operation": "chat", "kind": "client",
                "model": model.partition("/")[2],
                "provider": model.partition("/")[0], "input_tokens": chance.randrange(200, 3_000),
                "output_tokens": chance.randrange(20, 600), "usage": "reported",
                "cost_pico": chance.randrange(10**8, 10**11),
            }  # fmt: skip
        elif kind < 0.6:
            tool = chance.choice(TOOLS)
            more = {"name": f"execute_tool {tool}", "operation": "execute_tool"}
        spans.append(
            Span(
                trace_id=trace, span_id=chance.randbytes(8), parent_id=root, start=at, end=at + duration,
                status="error" if chance.random() < 0.01 else "unset", service="shop", user=user,
                input=words.text(TEXT // 2), output=words.text(TEXT // 2),
                attributes={"thread.id": 7, "code.function": "run"}, **more,  # pyright: ignore
            )
        )  # fmt: skip
        at += duration
    root_span = Span(
        trace_id=trace, span_id=root, name="invoke_agent shop", operation="invoke_agent", kind="internal",
        start=start, end=at, status="ok", service="shop", user=user,
        session=f"session-{chance.randrange(40_000)}",
        input=words.text(TEXT // 2), output=words.text(TEXT // 2), attributes={"gen_ai.agent.name": "shop"},
    )  # fmt: skip
    return [*spans, root_span]


def fill(folder: Path, count: int) -> tuple[int, float, float, list[bytes]]:
    """(spans, CPU seconds in the store, wall seconds in the store, some trace ids)."""
    writer = SpanWriter(folder, complete=complete)
    cpu = wall = 0.0
    batch: list[Span] = []
    total = 0
    sample: list[bytes] = []
    day: date | None = None
    offset = 0
    for spans in traces(count):
        today = day_of(spans[0].start)
        if batch and (today != day or len(batch) >= BATCH):
            assert day is not None
            offset += 1
            before = time.process_time(), time.perf_counter()
            writer.write(day, batch, {("bench", 1): offset})
            cpu += time.process_time() - before[0]
            wall += time.perf_counter() - before[1]
            total += len(batch)
            batch = []
        day = today
        batch += spans
        if len(sample) < 200 and random.random() < 0.01:
            sample.append(spans[0].trace_id)
    assert day is not None
    writer.write(day, batch, {})
    total += len(batch)
    writer.close()
    return total, cpu, wall, sample


class Result(NamedTuple):
    """Milliseconds; `cpu` is what the process used, the same on a busy machine and on a quiet one."""

    name: str
    median: float
    worst: float
    cpu: float
    target: float | None
    found: object


def measure(store: SpanStore, sample: list[bytes], repeats: int) -> list[Result]:
    """Every query that the page makes."""
    day = Window(END - DAY_NS, END)
    hour = Window(END - 3_600_000_000_000, END)
    whole = Window(END - DAYS * DAY_NS, END)
    tries = iter(sample * 1_000)
    queries: list[tuple[str, float | None, Callable[[], object]]] = [
        ("Pulse, 24 h by 5 min", 100, lambda: store.pulse("default", day, step_s=300).totals.requests),
        ("Pulse, 24 h by 15 min", 100, lambda: store.pulse("default", day, step_s=900).totals.requests),
        ("Pulse, 3 days by 1 h", 100, lambda: store.pulse("default", whole, step_s=3600).totals.requests),
        ("Pulse, 1 h by 10 s", 100, lambda: store.pulse("default", hour, step_s=10).totals.requests),
        ("Pulse, 24 h, one route", 100,
         lambda: store.pulse("default", day, step_s=300, filter=parse("route:search")).totals.requests),
        ("Pulse, 24 h, one user", 100,
         lambda: store.pulse("default", day, step_s=300, filter=parse("user:user-77")).totals.requests),
        ("Pulse, 24 h, status:error", 100,
         lambda: store.pulse("default", day, step_s=300, filter=parse("status:error")).totals.requests),
        ("a trace by id", 20, lambda: store.trace("default", next(tries)) is not None),
        ("newest 50", 100, lambda: store.traces("default", day).total),
        ("newest 50, filtered", 100,
         lambda: store.traces("default", day, filter=parse("model:gpt-4o* latency>1s")).total),
        ("newest 50, status:error", 100,
         lambda: store.traces("default", day, filter=parse("status:error")).total),
        ("newest 50 of a user", 100,
         lambda: store.traces("default", whole, filter=parse("user:user-77")).total),
        ("newest 50 of a tag, costly", 100,
         lambda: len(store.traces("default", whole, filter=parse("tag.env:prod cost>0.09")).items)),
        ("slowest 50", 100, lambda: store.traces("default", day, sort="slowest").total),
        ("costliest 50, 3 days", 100, lambda: store.traces("default", whole, sort="costliest").total),
        ("text, common word", 300, lambda: len(store.traces("default", whole, filter=parse("refund")).items)),
        ("text, rare word", 300, lambda: len(store.traces("default", whole, filter=parse("zyzzyva")).items)),
        ("text, two words", 300,
         lambda: len(store.traces("default", whole, filter=parse("refund zyzzyva")).items)),
        ("text, a phrase not there", 300,
         lambda: len(store.traces("default", day, filter=parse('"zyzzyva refund zyzzyva"')).items)),
        ("text and filter", 300,
         lambda: len(store.traces("default", day, filter=parse("refund status:error route:search")).items)),
        ("heat map, 24 h", None, lambda: sum(map(sum, store.heatmap("default", day).counts))),
        ("heat map, 24 h, filtered", None,
         lambda: sum(map(sum, store.heatmap("default", day, filter=parse("route:search")).counts))),
        ("facets, 24 h", None, lambda: store.facets("default", day).sampled),
        ("sessions, 24 h", None, lambda: store.sessions("default", day).total),
        ("new since", None, lambda: len(store.since("default", store.since("default", None)[1])[0])),
    ]  # fmt: skip
    results: list[Result] = []
    for name, target, query in queries:
        query()
        times: list[float] = []
        used: list[float] = []
        found: object = None
        for _ in range(repeats):
            before, cpu = time.perf_counter(), time.thread_time()
            found = query()
            used.append((time.thread_time() - cpu) * 1_000)
            times.append((time.perf_counter() - before) * 1_000)
        results.append(
            Result(name, statistics.median(times), max(times), statistics.median(used), target, found)
        )
    return results


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--spans", type=int, default=1_000_000)
    parser.add_argument("--folder", type=Path, default=Path("/tmp/noria-span-store"))
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--keep", action="store_true", help="leave the files for another run of the queries")
    given = parser.parse_args()
    sample: list[bytes] = []
    if not any(given.folder.glob("*.db")):
        given.folder.mkdir(parents=True, exist_ok=True)
        total, cpu, wall, sample = fill(given.folder, given.spans)
        size = sum(path.stat().st_size for path in given.folder.iterdir())
        print(f"{total:,} spans: {cpu / total * 1e6:.0f} µs CPU and {wall / total * 1e6:.0f} µs wall a span, "
              f"{size / total:.0f} bytes a span")  # fmt: skip
    store = SpanStore(given.folder)
    if not sample:
        page = store.traces("default", Window(END - DAYS * DAY_NS, END), limit=200)
        sample = [bytes.fromhex(item.id) for item in page.items]
    print(f"{'query':32} {'ms':>8} {'worst':>8} {'CPU ms':>8} {'target':>7}  found")
    for one in measure(store, sample, given.repeats):
        missed = "" if one.target is None or one.median < one.target else "  MISSED"
        goal = "" if one.target is None else f"{one.target:.0f}"
        print(
            f"{one.name:32} {one.median:8.1f} {one.worst:8.1f} {one.cpu:8.1f} {goal:>7}  {one.found}{missed}"
        )
    if not given.keep:
        shutil.rmtree(given.folder)


if __name__ == "__main__":
    main()
