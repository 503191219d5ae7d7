"""Runs an EvalRun: answers, stores, scores, stores; goes on where an earlier attempt stopped.

An answer is stored before it is scored, so that nothing that was paid for is asked for twice. How many are
under way and not yet stored is bounded, whatever the target, the scorers and the database do.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator, Sequence
from decimal import Decimal
from itertools import islice

import msgspec

from noria.client import once
from noria.core.clock import Clock
from noria.core.example import Example
from noria.errors import NoriaError
from noria.evals.answer import Answer, Judgement, answer_key
from noria.evals.judging import Judging
from noria.evals.pace import FIRST, Halt, Purse, patient
from noria.evals.run import EvalRun, Progress
from noria.evals.store import Kept, RunStore, Written
from noria.evals.target import Target
from noria.scoring.scorer import Output

AHEAD = 256
"""Examples that are looked up at once."""
REPORT_S = 0.5
"""Seconds between two notes of the progress."""
_ZERO = Decimal(0)


class _Unit(msgspec.Struct):
    """One example to be answered once, and what it still lacks."""

    example: Example
    repeat: int
    answer: Answer | None
    missing: list[Judging]
    stored: bool
    """The answer is one of an earlier attempt at this run."""
    judgements: list[Judgement] = []
    paid: Decimal = _ZERO
    aside: Decimal | None = None
    """Set aside of the budget for it."""


class Runner:
    """One execution; `run` is called once."""

    def __init__(
        self,
        run: EvalRun,
        *,
        target: Target,
        scorers: Sequence[Judging],
        store: RunStore,
        clock: Clock,
        expected: Decimal | None = None,
        judged: bool = False,
        report: Callable[[EvalRun], None] | None = None,
        once: str = "",
    ) -> None:
        """`expected` is what one answer may cost at most, None: not known; `judged`: scores ask models, too.
        A sitting that is given the same `once` as one that died finds what was under way in it; "": the
        run's id."""
        self._run = run
        self._spec = run.spec
        self._target = target
        self._scorers = scorers
        self._store = store
        self._clock = clock
        self._report = report
        self._once = once or run.id
        self._digest = run.spec.target.digest
        self._sharing = run.spec.target.shares and not run.spec.fresh
        self._progress = Progress()
        self._purse = Purse(run.spec.budget, expected=expected, judged=judged)
        width = run.spec.concurrency
        self._room = asyncio.Semaphore(4 * width + 64)
        self._calls: asyncio.Queue[_Unit] = asyncio.Queue(2 * width)
        self._scoring: asyncio.Queue[_Unit] = asyncio.Queue()
        self._answered: list[_Unit] = []
        self._judged: list[_Unit] = []
        self._new_examples: list[Example] = []
        self._dirty = asyncio.Event()
        self._open = 0
        self._fed = False
        self._over = asyncio.Event()
        self._halted = ""
        self._paused = False
        self._noted = 0

    async def run(self, examples: Iterable[Example], *, total: int | None = None) -> EvalRun:
        """The run as it ended, or still running where it was paused or somebody has ended it meanwhile. What
        breaks in storage is raised; it can then be run again."""
        self._progress = msgspec.structs.replace(
            await asyncio.to_thread(self._store.counted, self._run.id), total=total
        )
        self._purse.spend(self._progress.cost)
        self._run = self._run.to("running", at_ms=self._now())
        await self._note(self._run)
        try:
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(self._journal())]
                tasks += [group.create_task(self._caller()) for _ in range(self._spec.concurrency)]
                tasks += [group.create_task(self._scorer()) for _ in range(self._spec.concurrency)]
                group.create_task(self._feed(examples))
                await self._over.wait()
                for task in tasks:
                    task.cancel()
        except BaseExceptionGroup as errors:
            raise errors.exceptions[0] from None
        return await self._ended()

    def pause(self) -> None:
        """Begin no further answer; those under way are still stored and scored. The run stays as it is, and
        goes on when it is run again."""
        self._paused = True

    # The units' way: feed -> caller -> journal -> scorer -> journal.

    async def _feed(self, examples: Iterable[Example]) -> None:
        source = iter(examples)
        while not self._ending:
            ahead = await asyncio.to_thread(lambda: list(islice(source, AHEAD)))
            if not ahead:
                break
            kept = await asyncio.to_thread(
                self._store.kept_of, self._run.id, [example.id for example in ahead]
            )
            self._new_examples += [example for example in ahead if example.id not in kept]
            units = [unit for example in ahead for unit in self._units(example, kept.get(example.id))]
            await self._reuse([unit for unit in units if unit.answer is None])
            for unit in units:
                if unit.stored and not unit.missing:
                    continue
                await self._room.acquire()
                if self._ending:
                    self._room.release()
                    break
                self._open += 1
                if unit.answer is None:
                    await self._calls.put(unit)
                elif unit.stored:
                    self._answered.append(unit)
                    self._dirty.set()
                else:
                    self._arrived(unit)
        self._fed = True
        self._finish_if_done()

    def _units(self, example: Example, kept: Kept | None) -> Iterator[_Unit]:
        answers = {one.repeat: one for one in kept.answers} if kept else {}
        judged = {(one.repeat, one.scorer) for one in kept.judgements} if kept else set[tuple[int, str]]()
        for repeat in range(self._spec.repeats):
            missing = [one for one in self._scorers if (repeat, one.name) not in judged]
            answer = answers.get(repeat)
            yield _Unit(example, repeat, answer, missing, stored=answer is not None)

    async def _reuse(self, units: list[_Unit]) -> None:
        """Give units the answers that earlier runs have paid for."""
        if not self._sharing or not units:
            return
        keys: dict[str, list[_Unit]] = {}
        for unit in units:
            # Examples that differ in their id alone share one.
            keys.setdefault(self._key(unit), []).append(unit)
        found = await asyncio.to_thread(self._store.answers, self._run.project, list(keys))
        for key, answer in found.items():
            for unit in keys[key]:
                unit.answer = msgspec.structs.replace(
                    answer, example=unit.example.id, repeat=unit.repeat, reused=True, at_ms=self._now()
                )

    async def _caller(self) -> None:
        while True:
            unit = await self._calls.get()
            if not self._ending:
                unit.aside = await self._purse.take()
                if unit.aside is None:
                    self._halted = f"The budget of {self._spec.budget} dollars does not allow another call."
            if self._ending:
                self._leave(unit)
                continue
            try:
                unit.answer = await self._answer(unit)
            except Halt as error:
                self._halted = str(error)
                self._leave(unit)
                continue
            unit.paid += unit.answer.cost or _ZERO
            self._arrived(unit)

    async def _answer(self, unit: _Unit) -> Answer:
        example, repeat = unit.example, unit.repeat

        async def ask() -> Output:
            # What was under way when this process died is answered by what came of it.
            with once(f"{self._once}/{example.id}/{repeat}"):
                return await self._target(example, repeat=repeat, seed=self._spec.seed + repeat)

        try:
            output = await patient(ask)
        except Halt:
            raise
        except NoriaError as error:
            return Answer(
                example=example.id,
                revision=example.revision,
                repeat=repeat,
                failed=str(error) or type(error).__name__,
                at_ms=self._now(),
            )
        return Answer(
            example=example.id,
            revision=example.revision,
            repeat=repeat,
            key=self._key(unit) if self._spec.target.shares else "",
            text=output.text,
            response=output.response,
            data=output.data,
            context=output.context,
            latency=output.latency,
            usage=output.usage,
            cost=output.cost,
            trace=output.trace,
            at_ms=self._now(),
        )

    async def _judge(self, judging: Judging, output: Output, answer: Answer) -> Judgement:
        with once(f"{self._once}/{answer.example}/{answer.repeat}/{judging.name}"):
            return await judging.judge(output, answer, run=self._run.id)

    def _arrived(self, unit: _Unit) -> None:
        answer = unit.answer
        assert answer is not None, "a unit arrives with its answer"
        now = self._progress
        unknown = not answer.reused and not answer.failed and answer.cost is None
        self._hold_budget(unknown and self._spec.target.kind == "model")
        self._progress = msgspec.structs.replace(
            now,
            answered=now.answered + 1,
            failed=now.failed + bool(answer.failed),
            reused=now.reused + answer.reused,
            unknown=now.unknown + unknown,
            cost=now.cost + (_ZERO if answer.reused else answer.cost or _ZERO),
        )
        if self._progress.answered == self._progress.failed == FIRST:
            self._halted = f"All of the first {FIRST} calls failed: {answer.failed}"
        self._answered.append(unit)
        self._dirty.set()

    async def _journal(self) -> None:
        """Writes what has come together, in one transaction, and again and again."""
        while True:
            await self._dirty.wait()
            self._dirty.clear()
            answered, self._answered = self._answered, []
            judged, self._judged = self._judged, []
            examples, self._new_examples = self._new_examples, []
            written = Written(
                examples=examples,
                answers=[unit.answer for unit in answered if unit.answer is not None and not unit.stored],
                judgements=[one for unit in judged for one in unit.judgements],
            )
            await asyncio.to_thread(self._store.write, self._run.id, written)
            for unit in judged:
                self._leave(unit)
            await self._recall(answered)
            for unit in answered:
                self._scoring.put_nowait(unit)
            if self._clock.monotonic_ns() - self._noted > REPORT_S * 1e9:
                await self._note(msgspec.structs.replace(self._run, progress=self._progress))

    async def _recall(self, units: list[_Unit]) -> None:
        """Give units the judgements that earlier runs have paid for."""
        asked = [one for one in self._scorers if not one.free]
        if not asked or self._spec.fresh:
            return
        keys: dict[str, list[tuple[_Unit, Judging]]] = {}
        for unit in units:
            if unit.answer is not None and not unit.answer.failed:
                for judging in asked:
                    if judging in unit.missing:
                        # Repeats that answer the same share one.
                        keys.setdefault(judging.key(unit.answer), []).append((unit, judging))
        found = await asyncio.to_thread(self._store.judgements, self._run.project, list(keys))
        for key, judgement in found.items():
            for unit, judging in keys[key]:
                unit.missing.remove(judging)
                unit.judgements.append(
                    msgspec.structs.replace(
                        judgement,
                        example=unit.example.id,
                        repeat=unit.repeat,
                        scorer=judging.name,
                        reused=True,
                    )
                )

    async def _scorer(self) -> None:
        while True:
            unit = await self._scoring.get()
            answer = unit.answer
            assert answer is not None, "what is scored has been answered"
            if answer.failed:
                unit.judgements += [one.unanswered(answer) for one in unit.missing]
            else:
                output = answer.output(unit.example)
                for judging in unit.missing:
                    unit.judgements.append(await self._judge(judging, output, answer))
            self._scored(unit)

    def _scored(self, unit: _Unit) -> None:
        scores = [score for one in unit.judgements for score in one.scores]
        fresh = [score for one in unit.judgements if not one.reused for score in one.scores]
        cost = sum((score.cost for score in fresh if score.cost is not None), _ZERO)
        now = self._progress
        unknown = sum(bool(score.trace) and score.cost is None for score in fresh)
        self._hold_budget(bool(unknown))
        self._progress = msgspec.structs.replace(
            now,
            scored=now.scored + 1,
            scores=now.scores + len(scores),
            failed_scores=now.failed_scores + sum(bool(score.failed) for score in scores),
            cost=now.cost + cost,
            unknown=now.unknown + unknown,
        )
        unit.paid += cost
        self._judged.append(unit)
        self._dirty.set()

    def _hold_budget(self, unknown: bool) -> None:
        if unknown and self._spec.budget is not None:
            self._halted = (
                f"A call was made whose cost is not known, so the budget of {self._spec.budget} dollars "
                "cannot be kept; give the model a `price` in noria.toml, or run without a budget."
            )

    def _leave(self, unit: _Unit) -> None:
        if unit.aside is None:
            self._purse.spend(unit.paid)
        else:
            answered = unit.answer is not None and not unit.answer.failed
            self._purse.settle(unit.aside, unit.paid, answered=answered)
        self._open -= 1
        self._room.release()
        self._finish_if_done()

    def _finish_if_done(self) -> None:
        if self._fed and not self._open:
            self._over.set()

    @property
    def _ending(self) -> bool:
        return self._paused or bool(self._halted)

    async def _ended(self) -> EvalRun:
        total = self._progress.total
        whole = total is not None and self._progress.scored >= total
        run = msgspec.structs.replace(self._run, progress=self._progress)
        if self._halted:
            run = run.to("failed", message=self._halted, at_ms=self._now())
        elif not self._paused or whole:
            run = run.to("done", message=verdict(run), at_ms=self._now())
        await self._note(run)
        return run

    async def _note(self, run: EvalRun) -> None:
        self._noted = self._clock.monotonic_ns()
        if not await asyncio.to_thread(self._store.save, run):
            self._paused = True
        if self._report is not None:
            self._report(run)

    def _key(self, unit: _Unit) -> str:
        return answer_key(
            self._digest, unit.example.revision, repeat=unit.repeat, seed=self._spec.seed + unit.repeat
        )

    def _now(self) -> int:
        return self._clock.now_ns() // 1_000_000


def verdict(run: EvalRun) -> str:
    """A sentence where the run's numbers are not to be trusted; else ""."""
    if run.sound:
        return ""
    now = run.progress
    return (
        f"{now.failed} of {now.answered} answers and {now.failed_scores} of {now.scores} scores failed, which"
        f" is more than the {run.spec.max_failed:.0%} that this evaluation allows."
    )
