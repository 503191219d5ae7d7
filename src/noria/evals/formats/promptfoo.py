"""promptfoo's results as JSON (`promptfoo eval -o results.json`, results version 3)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec

from noria.core.digest import digest
from noria.core.example import Example
from noria.core.usage import Usage
from noria.errors import ConfigError
from noria.evals.answer import Answer, Judgement
from noria.evals.formats.imported import Kinds, dataset, foreign, number
from noria.evals.run import EvalRun, RunSpec, TargetSpec
from noria.evals.source import file_digest
from noria.evals.store import Kept
from noria.scoring.scorer import Score, Value

MOST = 1 << 30
"""Bytes of a file."""
PASS = "pass"
"""Whether all assertions of a test hold."""
_BROKE = 2
"""promptfoo's failureReason of a call that broke, as against an assertion that does not hold."""
Json = dict[str, Any]


class PromptfooLog:
    """One prompt on one provider of a file; evals.formats.imported.Log."""

    def __init__(self, path: Path, *, prompt: int | None = None) -> None:
        """`prompt` is the column in promptfoo's table; it may be left out where there is but one."""
        self._path = path
        if path.stat().st_size > MOST:
            raise ConfigError(f"{path.name} is longer than {MOST:,} bytes.")
        try:
            whole = msgspec.json.decode(path.read_bytes(), type=Json)
            results: Json = whole["results"]
            rows: list[Json] = results["results"]
        except (msgspec.DecodeError, KeyError, TypeError, UnicodeDecodeError) as error:
            raise ConfigError(f"{path.name} is not promptfoo's results as JSON: {error}.") from None
        with foreign(path):
            self._rows = _column(path, results, rows, prompt)

    def spec(self) -> RunSpec:
        kinds = Kinds()
        with foreign(self._path):
            for row in self._rows:
                for name, value, _ in _scores(row):
                    kinds.note(name, value)
            first = self._rows[0]
            provider = first.get("provider") or {}
            target = TargetSpec(
                model=str(provider.get("label") or provider.get("id") or "unknown"),
                prompt=str((first.get("prompt") or {}).get("label") or "")[:200],
            )
        return RunSpec(
            name="promptfoo",
            target=target,
            dataset=dataset(self._path.name, file_digest(self._path)),
            scorers=kinds.specs(),
            repeats=max((len(rows) for rows in self._tests().values()), default=1),
        )

    def rows(self) -> Iterator[Kept]:
        for id, rows in sorted(self._tests().items()):
            with foreign(self._path):
                kept = self._kept(id, rows)
            yield kept

    def _kept(self, id: str, rows: list[Json]) -> Kept:
        test: Json = rows[0].get("testCase") or {}
        return Kept(
            example=Example(
                id=id,
                input=dict(rows[0].get("vars") or {}),
                expected=_expected(test),
                metadata={
                    name: value
                    for name, value in (test.get("metadata") or {}).items()
                    if not name.startswith("_")
                },
                tags=(str(test["description"]),) if test.get("description") else (),
                source=f"file:{self._path.name}",
            ),
            answers=tuple(_answer(id, row, repeat) for repeat, row in enumerate(rows)),
            judgements=tuple(
                Judgement(example=id, repeat=repeat, scorer=name, scores=(_score(name, value, reason),))
                for repeat, row in enumerate(rows)
                for name, value, reason in _scores(row)
            ),
        )

    def _tests(self) -> dict[str, list[Json]]:
        """Rows of one test, by an id that is the same in every file that has the same variables."""
        found: dict[str, list[Json]] = {}
        for row in self._rows:
            found.setdefault(digest(row.get("vars") or {}).removeprefix("sha256:")[:16], []).append(row)
        return found


def _column(path: Path, results: Json, rows: list[Json], prompt: int | None) -> list[Json]:
    columns = sorted({int(row.get("promptIdx") or 0) for row in rows})
    if prompt is None and len(columns) > 1:
        known = ", ".join(
            f"{index}: {one.get('provider')} {str(one.get('label'))[:40]!r}"
            for index, one in enumerate(results.get("prompts") or [])
        )
        raise ConfigError(f"{path.name} holds several columns; choose one with --column ({known}).")
    column = columns[0] if prompt is None and columns else prompt or 0
    found = [row for row in rows if int(row.get("promptIdx") or 0) == column]
    if not found:
        raise ConfigError(f"{path.name} has no results in column {column}.")
    return found


def _expected(test: Json) -> Any:
    """The value of an assertion that says what the answer is to be."""
    for one in test.get("assert") or []:
        if one.get("type") in ("equals", "similar", "rouge-n", "bleu", "factuality"):
            return one.get("value")
    return None


def _answer(id: str, row: Json, repeat: int) -> Answer:
    response: Json = row.get("response") or {}
    given = response.get("output")
    used: Json = response.get("tokenUsage") or {}
    cost, took = number(row.get("cost")), number(row.get("latencyMs"))
    broke = row.get("failureReason") == _BROKE or "output" not in response
    return Answer(
        example=id,
        revision="",
        repeat=repeat,
        text=given
        if isinstance(given, str)
        else ""
        if given is None
        else msgspec.json.encode(given).decode(),
        data=None if isinstance(given, str) else given,
        failed=str(row.get("error") or response.get("error") or "promptfoo recorded no answer.")
        if broke
        else "",
        latency=None if took is None else took / 1000,
        usage=Usage(
            input=int(used.get("prompt") or 0), output=int(used.get("completion") or 0), provenance="reported"
        )
        if used
        else None,
        # What promptfoo writes is 0 where it does not know.
        cost=Decimal(str(cost)) if cost else None,
    )


def _scores(row: Json) -> Iterator[tuple[str, Value | None, str]]:
    """The whole test, each assertion by its metric or type, numbered where there are several alike."""
    grading: Json = row.get("gradingResult") or {}
    if not grading:
        return
    yield PASS, bool(row.get("success")), str(grading.get("reason") or "")
    seen: dict[str, int] = {}
    for part in grading.get("componentResults") or []:
        assertion: Json = part.get("assertion") or {}
        name = str(assertion.get("metric") or assertion.get("type") or "assertion")
        seen[name] = seen.get(name, 0) + 1
        name = name if seen[name] == 1 else f"{name}.{seen[name]}"
        score = number(part.get("score"))
        value: Value | None = bool(part.get("pass")) if score in (0.0, 1.0, None) else score
        yield name, value, str(part.get("reason") or "")


def _score(name: str, value: Value | None, reason: str) -> Score:
    return Score(name=name, value=value, reason=reason, failed="" if value is not None else "no value")


def promptfoo(run: EvalRun, rows: Iterable[Kept]) -> bytes:
    """As `promptfoo import` and its web page read it."""
    results: list[Json] = []
    for index, kept in enumerate(rows):
        for answer in kept.answers:
            results.append(_row(run, kept, answer, index))
    passed = sum(bool(one["success"]) for one in results)
    broke = sum(one["failureReason"] == _BROKE for one in results)
    time = datetime.fromtimestamp(run.created_ms / 1000, UTC).isoformat()
    spec = run.spec
    return msgspec.json.encode(
        {
            "evalId": run.id,
            "results": {
                "version": 3,
                "timestamp": time,
                "prompts": [
                    {
                        "id": spec.target.digest,
                        "raw": spec.target.prompt or "{{input}}",
                        "label": spec.target.prompt or "{{input}}",
                        "provider": spec.target.model or spec.target.shown,
                        "metrics": {
                            "score": passed,
                            "testPassCount": passed,
                            "testFailCount": len(results) - passed - broke,
                            "testErrorCount": broke,
                        },
                    }
                ],
                "results": results,
                "stats": {"successes": passed, "failures": len(results) - passed - broke, "errors": broke},
            },
            "config": {"description": f"Noria run {run.id} of {spec.name}"},
            "shareableUrl": None,
            "metadata": {"exportedAt": time, "dataset": spec.dataset.shown, "digest": spec.dataset.digest},
        }
    )


def _row(run: EvalRun, kept: Kept, answer: Answer, index: int) -> Json:
    scores = [one for each in kept.judgements if each.repeat == answer.repeat for one in each.scores]
    parts = [
        {
            "pass": not one.failed and one.value is not False,
            "score": float(one.value) if isinstance(one.value, int | float) else 0.0,
            "reason": one.failed or one.reason or str(one.value),
            "assertion": {"type": "noria", "metric": one.name},
        }
        for one in scores
    ]
    success = not answer.failed and all(part["pass"] for part in parts)
    usage = answer.usage or Usage()
    response: Json = {
        "output": answer.text,
        "tokenUsage": {
            "prompt": usage.input,
            "completion": usage.output,
            "total": usage.input + usage.output,
        },
    }
    return {
        "id": f"{run.id}-{index}-{answer.repeat}",
        "promptIdx": 0,
        "testIdx": index,
        "vars": kept.example.input,
        "testCase": {"vars": kept.example.input, "metadata": kept.example.metadata, "assert": []},
        "provider": {"id": run.spec.target.model or run.spec.target.shown, "label": ""},
        "prompt": {"raw": "", "label": run.spec.target.prompt},
        "response": {} if answer.failed else response,
        "error": answer.failed or None,
        "failureReason": _BROKE if answer.failed else 0 if success else 1,
        "success": success,
        "score": 1.0 if success else 0.0,
        "latencyMs": None if answer.latency is None else round(answer.latency * 1000),
        "cost": None if answer.cost is None else float(answer.cost),
        "gradingResult": {
            "pass": success,
            "score": 1.0 if success else 0.0,
            "reason": "",
            "componentResults": parts,
        },
    }
