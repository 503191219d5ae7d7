"""Inspect's `.eval` logs: a zip of header.json and a sample a file (inspect_ai 0.3, log version 2)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast
from zipfile import ZIP_DEFLATED, ZipFile

import msgspec

from noria.core.example import Example
from noria.core.usage import Usage
from noria.errors import ConfigError
from noria.evals.answer import Answer, Judgement
from noria.evals.formats.archive import Archive
from noria.evals.formats.imported import Kinds, dataset, foreign, number
from noria.evals.metrics import Metrics
from noria.evals.run import EvalRun, RunSpec, TargetSpec
from noria.evals.source import file_digest
from noria.evals.store import Kept
from noria.scoring.scorer import Score, Value

_VERDICTS: dict[str, Value] = {"C": True, "I": False, "N": False, "P": 0.5}
"""inspect_ai.scorer: CORRECT, INCORRECT, NOANSWER, PARTIAL."""
_SAMPLES = "samples/"
Json = dict[str, Any]


class InspectLog:
    """evals.formats.imported.Log."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._archive = Archive(path)
        self._header = self._json("header.json")
        self._members: dict[str, list[str]] = defaultdict(list)
        for name in self._archive.matching(_SAMPLES):
            self._members[name.removeprefix(_SAMPLES).rpartition("_epoch_")[0]].append(name)

    def spec(self) -> RunSpec:
        kinds = Kinds()
        with foreign(self._path):
            for sample in self._samples():
                for name, value, _ in _scores(sample):
                    kinds.note(name, value)
            told = self._header.get("eval") or {}
            name, model = str(told.get("task") or "inspect"), str(told.get("model") or "unknown")
        return RunSpec(
            name=name,
            target=TargetSpec(model=model),
            dataset=dataset(self._path.name, file_digest(self._path)),
            scorers=kinds.specs(),
            repeats=max(map(len, self._members.values()), default=1),
        )

    def rows(self) -> Iterator[Kept]:
        for id in sorted(self._members):
            with foreign(self._path):
                kept = self._kept(id)
            yield kept

    def _kept(self, id: str) -> Kept:
        samples = [self._json(name) for name in sorted(self._members[id], key=_epoch)]
        return Kept(
            example=_example(id, samples[0], self._path.name),
            answers=tuple(_answer(id, sample, repeat) for repeat, sample in enumerate(samples)),
            judgements=tuple(
                Judgement(example=id, repeat=repeat, scorer=name, scores=(_score(name, value, said),))
                for repeat, sample in enumerate(samples)
                for name, value, said in _scores(sample)
            ),
        )

    def _samples(self) -> Iterator[Json]:
        return (self._json(name) for names in self._members.values() for name in names)

    def _json(self, name: str) -> Json:
        try:
            return msgspec.json.decode(self._archive.read(name), type=Json)
        except msgspec.DecodeError as error:
            raise ConfigError(f"{name} of {self._path.name} is not JSON: {error}.") from None


def _epoch(name: str) -> int:
    digits = name.rpartition("_epoch_")[2].removesuffix(".json")
    return int(digits) if digits.isdigit() else 0


def _example(id: str, sample: Json, file: str) -> Example:
    asked = sample.get("input")
    metadata = dict(sample.get("metadata") or {})
    if sample.get("choices"):
        metadata["choices"] = sample["choices"]
    return Example(
        id=id,
        input={"messages": asked} if isinstance(asked, list) else {"input": str(asked)},
        expected=sample.get("target"),
        metadata=metadata,
        source=f"file:{file}",
    )


def _answer(id: str, sample: Json, repeat: int) -> Answer:
    output: Json = sample.get("output") or {}
    error: Json = sample.get("error") or {}
    used: Json = output.get("usage") or {}
    usage = Usage(
        input=int(used.get("input_tokens") or 0),
        output=int(used.get("output_tokens") or 0),
        provenance="reported",
    )
    return Answer(
        example=id,
        revision="",
        repeat=repeat,
        text=str(output.get("completion") or ""),
        failed=str(error.get("message") or "") if error else "",
        latency=number(sample.get("working_time")),
        usage=usage if used else None,
    )


def _scores(sample: Json) -> Iterator[tuple[str, Value | None, Json]]:
    """Of a score of several values each is a score of its own."""
    for name, said in cast(Json, sample.get("scores") or {}).items():
        value = said.get("value")
        if isinstance(value, dict):
            for part, inner in cast(Json, value).items():
                yield f"{name}.{part}", _value(inner), said
        else:
            yield name, _value(value), said


def _value(value: Any) -> Value | None:
    if isinstance(value, str):
        return _VERDICTS.get(value, value)
    return value if isinstance(value, bool) else number(value)


def _score(name: str, value: Value | None, said: Json) -> Score:
    failed = "" if value is not None else "Inspect recorded no value that is a number or a text."
    return Score(name=name, value=value, failed=failed, reason=str(said.get("explanation") or ""))


def write_inspect(path: Path, run: EvalRun, metrics: Metrics, rows: Iterable[Kept]) -> None:
    """A log that `inspect view` and `read_eval_log` open. What Inspect has no place for (groups, costs) is in
    metadata."""
    ids: list[str] = []
    summaries: list[Json] = []
    with ZipFile(path, "w", ZIP_DEFLATED) as archive:
        for kept in rows:
            ids.append(kept.example.id)
            for answer in kept.answers:
                sample = _sample(run, kept, answer)
                name = f"{_SAMPLES}{kept.example.id}_epoch_{answer.repeat + 1}.json"
                archive.writestr(name, msgspec.json.encode(sample))
                shown = {key: sample[key] for key in ("id", "epoch", "input", "target", "scores", "metadata")}
                summaries.append({**shown, "completed": True})
        archive.writestr("header.json", msgspec.json.encode(_head(run, metrics, ids)))
        archive.writestr("summaries.json", msgspec.json.encode(summaries))


def _sample(run: EvalRun, kept: Kept, answer: Answer) -> Json:
    example, model = kept.example, run.spec.target.shown
    asked = example.input.get("messages") or example.input.get("input") or example.input
    said: Json = {"role": "assistant", "content": answer.text, "source": "generate", "model": model}
    usage = answer.usage or Usage()
    output: Json = {
        "model": model,
        "choices": [] if answer.failed else [{"message": said, "stop_reason": "stop"}],
        "completion": answer.text,
        "usage": {
            "input_tokens": usage.input,
            "output_tokens": usage.output,
            "total_tokens": usage.input + usage.output,
        },
    }
    scores = [one for each in kept.judgements if each.repeat == answer.repeat for one in each.scores]
    more: Json = {"group": example.group, "tags": list(example.tags), "trace": answer.trace}
    if answer.cost is not None:
        more["cost"] = str(answer.cost)
    sample: Json = {
        "id": example.id,
        "epoch": answer.repeat + 1,
        "input": asked if isinstance(asked, str | list) else msgspec.json.encode(asked).decode(),
        "target": _target(example.expected),
        "messages": [said],
        "output": output,
        "scores": {one.name: _written(one, answer) for one in scores if not one.failed},
        "metadata": {**example.metadata, "noria": {name: value for name, value in more.items() if value}},
        "working_time": answer.latency,
        "model_usage": {model: output["usage"]},
    }
    if answer.failed:
        sample["error"] = {"message": answer.failed, "traceback": "", "traceback_ansi": ""}
    return sample


def _written(score: Score, answer: Answer) -> Json:
    value = score.value
    if isinstance(value, bool):
        value = "C" if value else "I"
    return {"value": value, "answer": answer.text[:1000], "explanation": score.reason or None}


def _target(expected: Any) -> str | list[str]:
    if expected is None:
        return ""
    if isinstance(expected, list):
        return [_text(one) for one in cast(list[Any], expected)]
    return _text(expected)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def _head(run: EvalRun, metrics: Metrics, ids: list[str]) -> Json:
    spec = run.spec
    found: list[Json] = []
    for one in metrics.measures:
        if one.interval is not None and one.interval.estimate is not None:
            value = {"name": "mean", "value": one.interval.estimate, "params": {}}
            found.append(
                {
                    "name": one.name,
                    "scorer": one.name,
                    "scored_samples": one.scores,
                    "unscored_samples": one.failed,
                    "params": {},
                    "metrics": {"mean": value},
                }
            )
    return {
        "version": 2,
        "status": "success" if run.state == "done" else "cancelled",
        "eval": {
            "eval_id": run.id,
            "run_id": run.id,
            "created": _time(run.created_ms),
            "task": spec.name,
            "task_id": spec.name,
            "task_version": 0,
            "task_args": {},
            "dataset": {
                "name": spec.dataset.shown,
                "samples": len(ids),
                "sample_ids": ids,
                "shuffled": False,
            },
            "model": spec.target.shown,
            "model_args": {},
            "config": {"epochs": spec.repeats},
            "metadata": {"noria_run": run.id, "dataset_digest": spec.dataset.digest},
        },
        "plan": {"name": "plan", "steps": [], "config": {}},
        "results": {
            "total_samples": metrics.answers,
            "completed_samples": metrics.answers - metrics.failed,
            "scores": found,
        },
        "stats": {
            "started_at": _time(run.started_ms),
            "completed_at": _time(run.ended_ms),
            "model_usage": {},
        },
    }


def _time(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat()
