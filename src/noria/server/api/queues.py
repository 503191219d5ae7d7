"""Review queues: make and fill them, look at what was answered, export."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any, Literal

import msgspec
from fastapi import APIRouter, Query
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, Field

from noria.access.role import Principal
from noria.errors import InvalidRequest
from noria.reviews import instrument
from noria.reviews.queue import Queue
from noria.reviews.source import Wanted
from noria.server.api.body import Body
from noria.server.api.caller import Admin, Editor, Parts, Project, Viewer
from noria.server.api.eval_bodies import IntervalBody
from noria.server.api.queue_bodies import (
    InstrumentBody,
    ItemBody,
    ItemPage,
    QueueBody,
    QueueList,
    QueuePatch,
    QueueRequest,
    instrument_body,
    item_body,
    queue_body,
)
from noria.server.api.span_of_time import parse_time
from noria.stats.interval import Interval
from noria.tracing.store import Window

if TYPE_CHECKING:
    from noria.reviews.agreement import QuestionAgreement, ReviewerAgreement
    from noria.reviews.results import QuestionResult

router = APIRouter(prefix="/api/queues", tags=["reviews"])

Format = Literal["answers", "examples", "judge", "preferences", "demonstrations"]


class NewOutput(Body):
    name: str = Field("", max_length=200)
    """Hidden from reviewers until the item is done."""
    text: str = Field(max_length=1_000_000)


class NewItem(Body):
    """Something to review, sent whole."""

    id: str = Field("", max_length=200)
    """Of the example; left out: made of the content."""
    input: dict[str, Any]
    """A prompt's variables; a conversation is under "messages", a bare text under "input"."""
    outputs: list[NewOutput] = Field([], max_length=2)
    expected: Any = None
    shown: dict[str, Any] = {}
    hidden: dict[str, Any] = {}
    group: str = Field("", max_length=200)
    trace: str = Field("", pattern="^([0-9a-f]{32})?$")


class ItemsOfSpans(Body):
    """Recorded traces, one item each."""

    q: str = Field("", max_length=2_000)
    """Filter, such as `feedback:down model:gpt-*`."""
    start: str = Field("-7d", max_length=40)
    end: str = Field("now", max_length=40)
    limit: int = Field(100, ge=1, le=10_000)


class ItemsOfDataset(Body):
    """Examples of a dataset."""

    name: str = Field(min_length=1, max_length=200)
    version: int | None = Field(None, ge=1)
    split: str = Field("", max_length=64)
    limit: int = Field(1_000, ge=1, le=100_000)


class ItemsOfRun(Body):
    """Answers of an EvalRun; with `against` pairs of both runs' answers to the same example."""

    id: str = Field(min_length=1, max_length=64)
    against: str = Field("", max_length=64)
    only: Literal["all", "failed", "disagreement"] = "all"
    """failed: a scorer said no or could not judge; disagreement: scorers or repeats disagree."""
    limit: int = Field(1_000, ge=1, le=100_000)


class AddItems(Body):
    """Exactly one of `items`, `spans`, `dataset` and `run`."""

    items: list[NewItem] | None = Field(None, max_length=5_000)
    spans: ItemsOfSpans | None = None
    dataset: ItemsOfDataset | None = None
    run: ItemsOfRun | None = None
    assign: list[str] = Field([], max_length=20)
    """Ids or e-mail addresses, where the queue assigns items by name."""


class AddedItems(BaseModel):
    added: int
    known: int
    """Were in the queue already."""
    left_out: int
    """Could not be made into items: no output was recorded, the answer failed."""
    reasons: dict[str, int]


class AssignRequest(Body):
    reviewer: str = Field(min_length=1, max_length=200)


class ReviewsToDataset(Body):
    name: str = Field(min_length=1, max_length=200)
    question: str = Field("", max_length=64)
    """Label the examples with what people said to this question, to calibrate a judge on."""
    comment: str = Field("", max_length=2_000)


class ReviewsInDataset(BaseModel):
    dataset: str
    version: int
    examples: int


class QuestionAgreementBody(BaseModel):
    question: str
    kind: str
    items: int
    reviewers: int
    exact: IntervalBody
    alpha: IntervalBody
    cohen: IntervalBody | None
    fleiss: IntervalBody | None
    pairs: dict[str, dict[str, int]]


class ReviewerBody(BaseModel):
    reviewer: str
    name: str
    reviews: int
    compared: int
    agree: IntervalBody
    seconds: float


class AgreementBody(BaseModel):
    """Over closed items only, so that it tells nothing of answers that others have yet to give."""

    items: int
    disputed: int
    questions: list[QuestionAgreementBody]
    reviewers: list[ReviewerBody]
    """For administrators."""


class QuestionResultBody(BaseModel):
    question: str
    kind: str
    items: int
    shares: dict[str, IntervalBody]
    mean: IntervalBody | None
    texts: int


class ResultsBody(BaseModel):
    """Over the items that are done."""

    questions: list[QuestionResultBody]


class InstrumentList(BaseModel):
    items: list[InstrumentBody]


@router.get("")
def list_queues(parts: Parts, who: Viewer, project: Project = "default") -> QueueList:
    return QueueList(items=[_queue(parts, queue, who) for queue in parts.reviews.queues(project)])


@router.post("", status_code=201)
def create_queue(parts: Parts, who: Admin, body: QueueRequest, project: Project = "default") -> QueueBody:
    return _queue(parts, parts.reviews.create(body.queue(project), by=who), who)


@router.get("/instruments")
def list_instruments(who: Viewer) -> InstrumentList:
    """Standard questionnaires that a survey can use."""
    return InstrumentList(items=[instrument_body(one) for one in instrument.shipped().values()])


@router.get("/{name}")
def read_queue(parts: Parts, who: Viewer, name: str, project: Project = "default") -> QueueBody:
    return _queue(parts, parts.reviews.queue(project, name), who)


@router.patch("/{name}")
def patch_queue(
    parts: Parts, who: Admin, name: str, body: QueuePatch, project: Project = "default"
) -> QueueBody:
    return _queue(parts, parts.reviews.patch(project, name, body.changes(), by=who), who)


@router.delete("/{name}", status_code=204)
def delete_queue(parts: Parts, who: Admin, name: str, project: Project = "default") -> None:
    """Only one without reviews; close the others."""
    parts.reviews.delete(project, name, by=who)


@router.post("/{name}/items")
def add_items(
    parts: Parts, who: Admin, name: str, body: AddItems, project: Project = "default"
) -> AddedItems:
    """Fill the queue. What it has already is left as it is."""
    queue = parts.reviews.queue(project, name)
    given = body.model_dump(exclude_none=True, exclude={"assign"})
    if len(given) != 1:
        raise InvalidRequest("Give exactly one of `items`, `spans`, `dataset` and `run`.", param="items")
    wanted = msgspec.convert(given, Wanted)
    window = None
    if wanted.spans is not None:
        now = parts.clock.now_ns()
        start, end = wanted.spans.start, wanted.spans.end
        window = Window(parse_time(start, now, param="start"), parse_time(end, now, param="end"))
    found = parts.reviews.fill(queue, wanted, window=window, by=who, assign=body.assign)
    return AddedItems(added=found.items, known=found.known, left_out=found.left_out, reasons=found.reasons)


@router.get("/{name}/items")
def list_items(
    parts: Parts,
    who: Viewer,
    name: str,
    project: Project = "default",
    state: Literal["open", "disputed", "done", "dropped"] | None = None,
    flagged: bool = False,
    cursor: Annotated[str | None, Query(pattern=r"^\d{1,15}$")] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> ItemPage:
    """In the order added, each as the caller may see it."""
    queue = parts.reviews.queue(project, name)
    page = parts.reviews.items(
        queue, state=state, flagged=flagged, cursor=int(cursor or 0), limit=limit, by=who
    )
    return ItemPage(items=[item_body(one) for one in page.items], next=page.next)


@router.get("/{name}/items/{item}")
def read_item(parts: Parts, who: Viewer, name: str, item: str, project: Project = "default") -> ItemBody:
    return item_body(parts.reviews.item(parts.reviews.queue(project, name), item, by=who))


@router.post("/{name}/items/{item}/assign")
def assign_item(
    parts: Parts, who: Admin, name: str, item: str, body: AssignRequest, project: Project = "default"
) -> ItemBody:
    queue = parts.reviews.queue(project, name)
    done = parts.reviews.assign(queue, item, body.reviewer, by=who)
    return item_body(parts.reviews.seen(queue, done, by=who))


@router.post("/{name}/items/{item}/drop")
def drop_item(parts: Parts, who: Admin, name: str, item: str, project: Project = "default") -> ItemBody:
    """Take an item out of the queue; its reviews are kept and count nowhere."""
    queue = parts.reviews.queue(project, name)
    return item_body(parts.reviews.seen(queue, parts.reviews.drop(queue, item, by=who), by=who))


@router.get("/{name}/agreement")
def read_agreement(parts: Parts, who: Viewer, name: str, project: Project = "default") -> AgreementBody:
    """How far the reviewers agree beyond chance, with intervals."""
    queue = parts.reviews.queue(project, name)
    found = parts.reviews.agreement(queue)
    admin = who.may("admin", project)
    return AgreementBody(
        items=found.items,
        disputed=found.disputed,
        questions=[_agreement(one) for one in found.questions],
        reviewers=[_reviewer(one) for one in found.reviewers if admin],
    )


@router.get("/{name}/results")
def read_results(parts: Parts, who: Viewer, name: str, project: Project = "default") -> ResultsBody:
    """What was settled, with intervals."""
    found = parts.reviews.results(parts.reviews.queue(project, name))
    return ResultsBody(questions=[_result(one) for one in found])


@router.get("/{name}/export", response_class=StreamingResponse)
def export_reviews(
    parts: Parts,
    who: Editor,
    name: str,
    project: Project = "default",
    format: Format = "answers",
    question: Annotated[str, Query(max_length=64)] = "",
) -> StreamingResponse:
    """Closed items as JSON Lines. answers: everything; examples: for a dataset; judge: outputs with the label
    that people gave to `question`; preferences, demonstrations: for training."""
    queue = parts.reviews.queue(project, name)
    lines = parts.reviews.export(queue, format, question=question)
    return StreamingResponse(
        _lines(lines),
        media_type="application/x-ndjson",
        headers={"content-disposition": f'attachment; filename="noria-{queue.name}-{format}.jsonl"'},
    )


@router.post("/{name}/dataset")
def export_to_dataset(
    parts: Parts, who: Editor, name: str, body: ReviewsToDataset, project: Project = "default"
) -> ReviewsInDataset:
    """Put what was settled into a dataset, as a new version of it."""
    queue = parts.reviews.queue(project, name)
    version = parts.reviews.to_dataset(queue, body.name, question=body.question, comment=body.comment, by=who)
    return ReviewsInDataset(dataset=body.name, version=version.number, examples=version.examples)


def _queue(parts: Parts, queue: Queue, who: Principal) -> QueueBody:
    may = who.may("editor", queue.project)
    return queue_body(
        queue,
        progress=parts.reviews.progress(queue),
        left=parts.reviews.left(queue, who) if may else 0,
        to_decide=parts.reviews.left(queue, who, part="adjudication") if may else 0,
    )


def _agreement(one: QuestionAgreement) -> QuestionAgreementBody:
    values = msgspec.structs.asdict(one)
    for name in ("exact", "alpha", "cohen", "fleiss"):
        values[name] = None if values[name] is None else interval_body(values[name])
    return QuestionAgreementBody(**values)


def _result(one: QuestionResult) -> QuestionResultBody:
    values = msgspec.structs.asdict(one)
    values["shares"] = {word: interval_body(found) for word, found in one.shares.items()}
    values["mean"] = None if one.mean is None else interval_body(one.mean)
    return QuestionResultBody(**values)


def _reviewer(one: ReviewerAgreement) -> ReviewerBody:
    values = msgspec.structs.asdict(one)
    values["agree"] = interval_body(one.agree)
    return ReviewerBody(**values)


def interval_body(interval: Interval) -> IntervalBody:
    return IntervalBody(**msgspec.structs.asdict(interval))


def _lines(values: Iterator[dict[str, Any]]) -> Iterator[bytes]:
    for value in values:
        yield msgspec.json.encode(value) + b"\n"
