"""What an Optimization asks models for, each thing once: answers of candidates, judged, and better words."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from decimal import Decimal
from typing import Any, TypeVar

import msgspec

from noria.client import Answer, AsyncNoria, about, once
from noria.core.digest import digest
from noria.core.example import Example
from noria.errors import InvalidRequest, NotFound, RequestError
from noria.evals.optimize.optimization import Components, Optimization, Result, Tried, with_components
from noria.evals.pace import Halt, patient
from noria.evals.targets.prompt import PromptTarget
from noria.prompts.compiled import CompiledPrompt
from noria.prompts.compose import Following, compiled, normalised
from noria.prompts.reads import reads
from noria.prompts.reference import parse_reference
from noria.prompts.store import PromptReader
from noria.prompts.technique import Shot
from noria.prompts.version import PromptContent, PromptVersion
from noria.scoring.scorer import Output, Scorer
from noria.storage.optimizations import OptimizationTable

Report = Callable[[int | None, int | None, str, str], None]
T = TypeVar("T")
_REFLECTED = "reflect"
"""Stands for the candidate where a proposal of words is remembered, by the digest of what was asked."""


class Asking:
    """Made and used on one event loop, but for `texts_here` and `reflect_here`, which the search's thread
    calls. `result` counts what was asked, in sittings before this one too."""

    def __init__(
        self,
        one: Optimization,
        *,
        table: OptimizationTable,
        prompts: PromptReader,
        client: AsyncNoria,
        scorer: Scorer,
        report: Report,
    ) -> None:
        content = one.spec.target.content
        assert content is not None, "an optimization begins with a version"
        self._one = one
        self.spec = one.spec
        self._table = table
        self._prompts = prompts
        self._client = client
        self._scorer = scorer
        self._report = report
        self._loop = asyncio.get_running_loop()
        self._room = asyncio.Semaphore(one.spec.concurrency)
        self.first = content
        self._included = self._follow(content)
        self._variables = _read(self.compiled(content, ()))
        self.candidates: dict[str, Components] = {}
        self.stopping = False
        self.halted = ""
        """Why nothing more is asked, which cuts the search short."""
        answers, cost, unknown = table.spent(one.id)
        self.result = Result(candidates=0, answers=answers, cost=cost, unknown=unknown)

    def texts_here(self, texts: Components, examples: Sequence[Example]) -> list[Tried]:
        """evals.optimize.search.Try, for another thread."""
        return self._wait(self._texts(texts, examples))

    def reflect_here(self, asked: str) -> str:
        """Better words, for another thread."""
        return self._wait(self._reflect(asked))

    async def _texts(self, texts: Components, examples: Sequence[Example]) -> list[Tried]:
        content = with_components(self.first, texts)
        lost = self._variables - _read(self.compiled(content, ()))
        if lost:
            raise InvalidRequest(f"The text has lost the place of {', '.join(sorted(lost))}.")
        self.candidates[digest(texts)] = texts
        return await self.tried(content, examples)

    async def tried(
        self, content: PromptContent, examples: Sequence[Example], shots: Sequence[Shot] = ()
    ) -> list[Tried]:
        """Of every example; what was asked once is not asked again."""
        content = normalised(content)
        key = content.digest
        known = self._table.tried(self._one.id, key, [example.id for example in examples])
        missing = [example for example in examples if example.id not in known]
        if missing:
            target = self.target(content, shots)
            try:
                async with asyncio.TaskGroup() as group:
                    tasks = {
                        example.id: group.create_task(self._ask(target, key, example)) for example in missing
                    }
            except BaseExceptionGroup as errors:
                raise errors.exceptions[0] from None
            known |= {id: task.result() for id, task in tasks.items()}
        return [known[example.id] for example in examples]

    async def _ask(self, target: PromptTarget, key: str, example: Example) -> Tried:
        async with self._room:
            self._may_go_on()
            tried = await self._judged(target, f"{self._one.id}/{key}/{example.id}", example)
        self._table.keep(self._one.id, key, example.id, tried)
        self._count(tried.cost, bool(tried.trace))
        return tried

    async def _judged(self, target: PromptTarget, name: str, example: Example) -> Tried:
        async def ask() -> Output:
            # What was under way when this process died is answered by what came of it.
            with once(name):
                return await target(example, repeat=0, seed=self.spec.seed)

        try:
            output = await patient(ask)
        except Halt:
            raise
        except RequestError as error:
            return Tried(failed=str(error))
        with about(episode=self._one.id, tags={"scorer": self.spec.scorer.type}), once(f"{name}/score"):
            scores = await self._scorer(output)
        found = next((one for one in scores if one.name == self.spec.measure), None)
        costs = [output.cost, *(one.cost for one in scores if one.trace)]
        known = [one for one in costs if one is not None]
        cost = sum(known, Decimal(0)) if len(known) == len(costs) else None
        value = found.value if found is not None else None
        if found is None or isinstance(value, str) or value is None:
            why = found.failed if found is not None and found.failed else "The scorer gave no number."
            return Tried(text=output.text, failed=why, cost=cost, trace=output.trace)
        return Tried(
            text=output.text, value=float(value), feedback=found.reason, cost=cost, trace=output.trace
        )

    async def _reflect(self, asked: str) -> str:
        key = digest(asked)
        known = self._table.tried(self._one.id, _REFLECTED, [key]).get(key)
        if known is None:
            self._may_go_on()
            said = {"episode": self._one.id, "tags": {"optimize": self.spec.prompt}, "cache": "no-cache"}

            async def ask() -> Answer:
                with once(f"{self._one.id}/{_REFLECTED}"):
                    return await self._client.chat(self.spec.reflect, asked, temperature=1.0, noria=said)

            answer = await patient(ask)
            known = Tried(text=answer.text, cost=answer.cost, trace=answer.trace)
            self._table.keep(self._one.id, _REFLECTED, key, known)
            self._count(answer.cost, True)
        return known.text

    def target(self, content: PromptContent, shots: Sequence[Shot]) -> PromptTarget:
        prompt = self.compiled(content, shots)
        spec = msgspec.structs.replace(self.spec.target, content=content, compiled=prompt)
        name = f"optimize:{self.spec.prompt}"
        return PromptTarget(spec, prompt, self._client, run=self._one.id, name=name)

    def compiled(self, content: PromptContent, shots: Sequence[Shot]) -> CompiledPrompt:
        return compiled(
            content, self._included, project=self._one.project, name=self.spec.prompt, number=0,
            digest=content.digest, shots=shots,
        )  # fmt: skip

    def _follow(self, content: PromptContent) -> dict[str, PromptContent]:
        following = Following(self._by_digest)
        for reference, pinned in content.includes.items():
            other = self._by_digest(parse_reference(reference).name, pinned)
            following.follow(other, (self.spec.prompt,))
        return following.found

    def _by_digest(self, name: str, pinned: str) -> PromptVersion:
        found = self._prompts.by_digest(self._one.project, name, pinned)
        if found is None:
            raise NotFound(f"The prompt {name!r} has no version with the digest {pinned}.")
        return found

    def _wait(self, coroutine: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result()

    def paid(self, cost: Decimal, unknown: int) -> None:
        """Something beside the answers has cost this."""
        now = self.result
        self.result = msgspec.structs.replace(now, cost=now.cost + cost, unknown=now.unknown + unknown)

    def stop(self) -> None:
        """Ask nothing more; it goes on when it is run again."""
        self.stopping = True

    def _may_go_on(self) -> None:
        if self.stopping:
            raise Halt("It was told to stop.")
        self.left()

    def left(self) -> Decimal | None:
        """Dollars; None: there is no budget. Raises Halt where nothing is left, or that is not known."""
        budget = self.spec.budget
        if budget is None:
            return None
        if self.result.unknown:
            self.halted = "The cost of a call is not known, so the budget cannot be kept."
        elif self.result.cost >= budget:
            self.halted = f"The budget of {budget} dollars is used up."
        if self.halted:
            raise Halt(self.halted)
        return budget - self.result.cost

    def _count(self, cost: Decimal | None, called: bool) -> None:
        now = self.result
        self.result = msgspec.structs.replace(
            now,
            answers=now.answers + 1,
            cost=now.cost + (cost or Decimal(0)),
            unknown=now.unknown + (called and cost is None),
        )
        most = self.spec.answers
        self._report(min(now.answers + 1, most), most, "answers", f"{len(self.candidates)} candidates")


def _read(prompt: CompiledPrompt) -> frozenset[str]:
    """The variables that a prompt's messages show."""
    return frozenset(name for one in prompt.messages for name in reads(one.program).names)
