"""Examples as rows of the formats that trainers read.

Sources: https://huggingface.co/docs/trl/dataset_formats (prompt-completion, preference, unpaired preference,
each in its plain and its conversational form), https://platform.openai.com/docs/guides/fine-tuning (chat),
and https://inspect.aisi.org.uk/datasets.html (the fields of a sample).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from noria.core.example import Example

Row = dict[str, Any]
Message = dict[str, Any]


class Unfit(Exception):
    """An example that a format cannot hold; its text says why."""


def chat(example: Example, text: str) -> list[Row]:
    """The whole conversation, the expected answer last."""
    row: Row = {"messages": [*messages(example, text), answer(_expected(example))]}
    for name in ("tools", "parallel_tool_calls"):
        if name in example.input:
            row[name] = example.input[name]
    return [row]


def prompt_completion(example: Example, text: str) -> list[Row]:
    return [_paired(example, text, completion=_expected(example))]


def preference(example: Example, text: str) -> list[Row]:
    """`metadata.rejected` beside `metadata.chosen`, or beside the expected answer."""
    chosen, rejected = _preferred(example)
    return [_paired(example, text, chosen=chosen, rejected=rejected)]


def unpaired(example: Example, text: str) -> list[Row]:
    """A row an answer, with whether it is a good one: `metadata.label`, or both answers of a preference."""
    label = example.metadata.get("label")
    if isinstance(label, bool):
        return [{**_paired(example, text, completion=_expected(example)), "label": label}]
    if "rejected" not in example.metadata:
        raise Unfit("It has neither metadata.label (true or false) nor metadata.rejected.")
    chosen, rejected = _preferred(example)
    return [
        {**_paired(example, text, completion=chosen), "label": True},
        {**_paired(example, text, completion=rejected), "label": False},
    ]


def inspect(example: Example, text: str) -> list[Row]:
    """Inspect's sample, which also other evaluation programs read."""
    row: Row = {"id": example.id, "input": _prompt(example, text)}
    if example.expected is not None:
        found = example.expected
        row["target"] = [_said(one) for one in found] if isinstance(found, list) else _said(found)
    metadata = dict(example.metadata)
    if isinstance(metadata.get("choices"), list):
        row["choices"] = [_said(one) for one in metadata.pop("choices")]
    if example.tags:
        metadata["tags"] = list(example.tags)
    if metadata:
        row["metadata"] = metadata
    return [row]


ROWS: dict[str, Callable[[Example, str], list[Row]]] = {
    "chat": chat,
    "prompt-completion": prompt_completion,
    "preference": preference,
    "unpaired": unpaired,
    "eval": inspect,
}
"""By format. The second argument names the field of the input that is the prompt; "": the only one."""


def messages(example: Example, text: str) -> list[Message]:
    """The input as a conversation. Raises Unfit."""
    found = _prompt(example, text)
    return [{"role": "user", "content": found}] if isinstance(found, str) else found


def answer(value: Any) -> Message:
    """As the assistant's message."""
    if isinstance(value, dict) and value.get("role") == "assistant":
        return value
    return {"role": "assistant", "content": _said(value)}


def _prompt(example: Example, text: str) -> Any:
    """A text, or messages where the input is a conversation."""
    conversation = example.input.get("messages")
    if isinstance(conversation, list) and not text:
        return conversation
    if text:
        if text not in example.input:
            raise Unfit(f"Its input has no field {text!r}.")
        found = example.input[text]
    elif len(example.input) == 1:
        found = next(iter(example.input.values()))
    else:
        raise Unfit(
            f"Its input has several fields ({', '.join(example.input)}); say which one is the prompt."
        )
    if not isinstance(found, str):
        raise Unfit("The field of its input that is the prompt is no text.")
    return found


def _paired(example: Example, text: str, **answers: Any) -> Row:
    prompt = _prompt(example, text)
    if isinstance(prompt, str) and not any(isinstance(value, dict) for value in answers.values()):
        return {"prompt": prompt, **{name: _said(value) for name, value in answers.items()}}
    conversation = [{"role": "user", "content": prompt}] if isinstance(prompt, str) else prompt
    return {"prompt": conversation, **{name: [answer(value)] for name, value in answers.items()}}


def _preferred(example: Example) -> tuple[Any, Any]:
    rejected = example.metadata.get("rejected")
    chosen = example.metadata.get("chosen", example.expected)
    if rejected is None:
        raise Unfit("It has no metadata.rejected, the answer that is worse.")
    if chosen is None:
        raise Unfit("It has neither metadata.chosen nor an expected answer.")
    return _only(chosen), _only(rejected)


def _expected(example: Example) -> Any:
    """Of several equally good ones the first."""
    if example.expected is None or example.expected == []:
        raise Unfit("It has no expected answer.")
    return _only(example.expected)


def _only(value: Any) -> Any:
    return value[0] if isinstance(value, list) and value else value


def _said(value: Any) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()
