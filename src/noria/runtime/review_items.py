"""What is put into review queues: recorded traces, examples of datasets, answers of evaluations."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from noria.core.example import Example
from noria.datasets.store import DatasetReader
from noria.errors import InvalidRequest, NotFound
from noria.evals.answer import name_of
from noria.evals.store import Kept, RunReader
from noria.reviews.item import Candidate, Content
from noria.reviews.order import disagreement
from noria.reviews.source import Examples, LeftOut, Run, Spans, Wanted
from noria.reviews.spoken import asked, said
from noria.scoring.scorer import Score
from noria.tracing.filters import Filter, parse
from noria.tracing.store import SpanDetail, SpanReader, TraceDetail, Window

_PAGE = 200
_MEASURED = ("latency", "tokens", "cost", "length")
"""Types of scorers that measure and do not judge."""


class ItemSources:
    """Reads what other areas keep."""

    def __init__(
        self,
        *,
        spans: Callable[[], SpanReader],
        resolve: Callable[[str, Filter], Filter],
        datasets: DatasetReader,
        runs: RunReader,
    ) -> None:
        """`resolve` looks up what a filter says of feedback."""
        self._spans = spans
        self._resolve = resolve
        self._datasets = datasets
        self._runs = runs

    def contents(
        self, project: str, wanted: Wanted, window: Window | None, left_out: LeftOut
    ) -> Iterator[Content]:
        """`window` is that of `wanted.spans`. Raises NotFound, InvalidRequest."""
        if wanted.items is not None:
            return (given.content() for given in wanted.items)
        if wanted.dataset is not None:
            return self._of_dataset(project, wanted.dataset)
        if wanted.run is not None:
            return self._of_run(project, wanted.run, left_out)
        assert wanted.spans is not None and window is not None, "spans are wanted within a window"
        return self._of_spans(project, wanted.spans, window, left_out)

    def _of_spans(self, project: str, wanted: Spans, window: Window, left_out: LeftOut) -> Iterator[Content]:
        spans = self._spans()
        filter = self._resolve(project, parse(wanted.q))
        cursor: str | None = None
        seen = 0
        while seen < wanted.limit:
            page = spans.traces(
                project, window, filter=filter, cursor=cursor, limit=min(_PAGE, wanted.limit - seen)
            )
            for summary in page.items:
                seen += 1
                trace = spans.trace(project, bytes.fromhex(summary.id))
                content = None if trace is None else content_of(trace)
                if content is None:
                    left_out.count("no input and output were recorded")
                else:
                    yield content
            cursor = page.next
            if cursor is None:
                return

    def _of_dataset(self, project: str, wanted: Examples) -> Iterator[Content]:
        version = self._datasets.version(project, wanted.name, wanted.version)
        if version is None:
            number = f" version {wanted.version}" if wanted.version else ""
            raise NotFound(f"There is no dataset {wanted.name!r}{number} in project {project!r}.")
        if wanted.split and wanted.split not in version.splits:
            raise InvalidRequest(f"{wanted.name!r} has no split {wanted.split!r}.", param="split")
        for number, example in enumerate(self._datasets.examples(version, split=wanted.split)):
            if number == wanted.limit:
                return
            source = f"dataset:{wanted.name}@{version.number}/{example.id}"
            yield Content(example=example, outputs=_outputs(example), source=source)

    def _of_run(self, project: str, wanted: Run, left_out: LeftOut) -> Iterator[Content]:
        measured: set[str] = set()
        for id in filter(None, (wanted.id, wanted.against)):
            run = self._runs.run(project, id)
            if run is None:
                raise NotFound(f"There is no evaluation run {id!r} in project {project!r}.")
            measured |= {name_of(spec) for spec in run.spec.scorers if spec.type in _MEASURED}
        made = 0
        batch: list[Kept] = []
        for kept in self._runs.kept(wanted.id):
            batch.append(kept)
            if len(batch) == _PAGE:
                for content in self._of_kept(wanted, batch, left_out, measured):
                    if made == wanted.limit:
                        return
                    made += 1
                    yield content
                batch = []
        for content in self._of_kept(wanted, batch, left_out, measured):
            if made == wanted.limit:
                return
            made += 1
            yield content

    def _of_kept(
        self, wanted: Run, batch: list[Kept], left_out: LeftOut, measured: set[str]
    ) -> Iterator[Content]:
        others = (
            self._runs.kept_of(wanted.against, [one.example.id for one in batch]) if wanted.against else {}
        )
        for kept in batch:
            pair = [kept]
            if wanted.against:
                other = others.get(kept.example.id)
                if other is None:
                    left_out.count("the other run has no such example")
                    continue
                pair.append(other)
            outputs = [
                _answered(one, name) for one, name in zip(pair, (wanted.id, wanted.against), strict=False)
            ]
            if any(output is None for output in outputs):
                left_out.count("the answer failed")
                continue
            content = Content(
                example=kept.example,
                outputs=tuple(output for output in outputs if output is not None),
                hidden={"scores": _scores(pair, measured)},
                trace="" if wanted.against else kept.answers[0].trace,
                source=f"run:{wanted.id}/{kept.example.id}"
                + (f"+{wanted.against}" if wanted.against else ""),
            )
            if wanted.only == "disagreement" and disagreement(content) == 0:
                continue
            if wanted.only == "failed" and not _failed(kept, measured):
                continue
            yield content


def content_of(trace: TraceDetail) -> Content | None:
    """The trace's root, or the first span that holds an input and an output; None: none does."""
    ordered = sorted(trace.spans, key=lambda span: span.id != trace.summary.root)
    for span in ordered:
        given, answer = asked(span.input), said(span.output)
        if given is not None and answer is not None:
            return _content(trace.id, span, given, answer)
    return None


def _content(trace: str, span: SpanDetail, given: dict[str, Any], answer: str) -> Content:
    source = f"span:{trace}/{span.id}"
    group = f"session:{span.session}" if span.session else ""
    example = Example(id=f"{trace}-{span.id}", input=given, source=source, group=group)
    hidden = {name: value for name, value in (("model", span.model), ("route", span.route)) if value}
    return Content(
        example=example,
        outputs=(Candidate(name=span.model, text=answer),),
        hidden=hidden,
        trace=trace,
        span=span.id,
        source=source,
    )


def _outputs(example: Example) -> tuple[Candidate, ...]:
    """What a dataset keeps of a model's answer: `metadata["output"]`, or two in `metadata["outputs"]`."""
    one, many = example.metadata.get("output"), example.metadata.get("outputs")
    if isinstance(many, list) and len(many) == 2 and all(isinstance(text, str) for text in many):
        return tuple(Candidate(text=text) for text in many)
    return (Candidate(text=one),) if isinstance(one, str) else ()


def _answered(kept: Kept, run: str) -> Candidate | None:
    if not kept.answers or kept.answers[0].failed:
        return None
    return Candidate(name=run, text=kept.answers[0].text)


def _scores(pair: list[Kept], measured: set[str]) -> dict[str, list[Any]]:
    """What judges, by scorer, over repeats and runs."""
    found: dict[str, list[Any]] = {}
    for kept in pair:
        for score in _judged(kept, measured):
            if score.value is not None:
                found.setdefault(score.name, []).append(score.value)
    return found


def _failed(kept: Kept, measured: set[str]) -> bool:
    return any(score.failed or score.value is False or score.value == 0 for score in _judged(kept, measured))


def _judged(kept: Kept, measured: set[str]) -> Iterator[Score]:
    for judgement in kept.judgements:
        if judgement.scorer not in measured:
            yield from judgement.scores
