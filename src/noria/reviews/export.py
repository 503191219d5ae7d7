"""What people have settled, for datasets, for judges, and for training."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from noria.core.example import Example
from noria.datasets.origin import ORIGIN
from noria.reviews.item import Item, Standing
from noria.reviews.queue import Kind, Queue

Line = dict[str, Any]


def examples(queue: Queue, standings: Iterable[Standing]) -> Iterator[Example]:
    """Examples for a dataset. A correction becomes `expected` (several that differ: a list of equally good
    ones); every settled answer is in `metadata["review"]`; a label is a tag `question:label` as well; a
    preference is the two texts in `metadata["preference"]`."""
    for standing in standings:
        item = standing.item
        if item.settled is None:
            continue
        old = item.content.example
        told: Line = {name: value for name, value in item.settled.values.items() if name != ""}
        metadata = {**old.metadata, **_origin(old), "review": told}
        if item.content.outputs and len(item.content.outputs) == 1:
            metadata["output"] = item.content.outputs[0].text
        chosen = _preference(queue, item)
        if chosen is not None:
            metadata["preference"] = chosen
        tags = tuple(dict.fromkeys([*old.tags, *_tags(queue, item)]))
        yield msgspec.structs.replace(
            old,
            expected=_expected(queue, item),
            metadata=metadata,
            tags=tags,
            source=f"review:{item.id}",
        )


def judged(queue: Queue, standings: Iterable[Standing], *, question: str) -> Iterator[Example]:
    """Examples to calibrate a judge on: `metadata["answer"]` is what it is to judge, `metadata["label"]` what
    people say of it, `metadata["labels"]` what each of them said. Of a preference the answer is the first
    output, `metadata["rival"]` the second, and the label "win", "loss" or "tie"."""
    asked = queue.question(question)
    for standing in standings:
        item = standing.item
        texts = [output.text for output in item.content.outputs]
        if asked is None or item.settled is None or question not in item.settled.values or not texts:
            continue
        old = item.content.example
        said = [review.answers[question] for review in standing.of("review") if question in review.answers]
        metadata = {
            **old.metadata,
            **_origin(old),
            "answer": texts[0],
            "label": _verdict(item.settled.values[question], asked.kind),
            "labels": [_verdict(one, asked.kind) for one in said],
        }
        if len(texts) == 2:
            metadata["rival"] = texts[1]
        yield msgspec.structs.replace(old, metadata=metadata, source=f"review:{item.id}")


def preferences(queue: Queue, standings: Iterable[Standing]) -> Iterator[Line]:
    """Pairs to train on: `prompt` (messages), `chosen`, `rejected`. Of a preference between two outputs, and
    of a correction, which is preferred to the output that it corrects."""
    for standing in standings:
        item = standing.item
        prompt = _prompt(item.content.example)
        pair = _preference(queue, item)
        if pair is not None:
            yield {"prompt": prompt, **pair, "source": f"review:{item.id}"}
        if len(item.content.outputs) == 1:
            for text in _corrections(queue, item):
                if text != item.content.outputs[0].text:
                    rejected = item.content.outputs[0].text
                    yield {
                        "prompt": prompt,
                        "chosen": text,
                        "rejected": rejected,
                        "source": f"review:{item.id}",
                    }


def demonstrations(queue: Queue, standings: Iterable[Standing]) -> Iterator[Line]:
    """Conversations to train on: `messages` that end with what people wrote."""
    for standing in standings:
        item = standing.item
        for text in _corrections(queue, item):
            said = [*_prompt(item.content.example), {"role": "assistant", "content": text}]
            yield {"messages": said, "source": f"review:{item.id}"}


def answers(queue: Queue, standings: Iterable[Standing]) -> Iterator[Line]:
    """Everything: each item with its settled values and every review that counts."""
    for standing in standings:
        item = standing.item
        yield {
            "item": item.id,
            "number": item.number,
            "state": item.state,
            "source": item.content.source,
            "example": msgspec.to_builtins(item.content.example),
            "outputs": [msgspec.to_builtins(output) for output in item.content.outputs],
            "settled": None if item.settled is None else msgspec.to_builtins(item.settled),
            "reviews": [
                {
                    "part": review.part,
                    "reviewer": review.reviewer,
                    "name": review.reviewer_name,
                    "answers": review.answers,
                    "order": list(review.order),
                    "comment": review.comment,
                    "seconds": review.seconds,
                    "at_ms": review.at_ms,
                }
                for review in standing.reviews
                if not review.withdrawn
            ],
        }


def _origin(example: Example) -> Line:
    """Where the words came from: the item, which is the source now, may be deleted before they are."""
    return {ORIGIN: example.source} if example.source else {}


def _expected(queue: Queue, item: Item) -> Any:
    found = _corrections(queue, item)
    if not found:
        return item.content.example.expected
    return found[0] if len(found) == 1 else found


def _corrections(queue: Queue, item: Item) -> list[str]:
    if item.settled is None:
        return []
    names = [question.name for question in queue.form if question.kind == "correction"]
    return [text for name in names for text in item.settled.values.get(name, ())]


def _tags(queue: Queue, item: Item) -> Iterator[str]:
    assert item.settled is not None, "only settled items have tags"
    for question in queue.form:
        value = item.settled.values.get(question.name)
        if question.kind == "label" and isinstance(value, str):
            yield f"{question.name}:{value}"
        elif question.kind == "labels" and isinstance(value, list):
            yield from (f"{question.name}:{one}" for one in value if isinstance(one, str))


def _preference(queue: Queue, item: Item) -> Line | None:
    """The chosen and the rejected text; None: neither was preferred."""
    for question in queue.form:
        value = item.settled.values.get(question.name) if item.settled is not None else None
        if question.kind == "preference" and value in ("0", "1"):
            chosen = item.content.outputs[int(value)]
            rejected = item.content.outputs[1 - int(value)]
            return {"chosen": chosen.text, "rejected": rejected.text}
    return None


def _verdict(value: Any, kind: Kind) -> Any:
    """Of the first output."""
    return {"0": "win", "1": "loss"}.get(value, "tie") if kind == "preference" else value


def _prompt(example: Example) -> list[Any]:
    """The conversation, or the text as what a user says."""
    said = example.input.get("messages")
    if isinstance(said, list):
        return list(said)
    text = example.input.get("input")
    content = text if isinstance(text, str) else msgspec.json.encode(example.input).decode()
    return [{"role": "user", "content": content}]
