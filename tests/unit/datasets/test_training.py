"""Examples as rows of trainers' and evaluators' formats."""

from __future__ import annotations

from typing import Any

import pytest

from noria.core.example import Example
from noria.datasets.exporting import Left, looked_over, write
from noria.datasets.training import ROWS, Unfit
from noria.errors import InvalidRequest

USER = {"role": "user", "content": "Why?"}
SAID = {"role": "assistant", "content": "So."}
CALL = {"role": "assistant", "content": None, "tool_calls": [{"id": "1"}]}


def rows(format: str, text: str = "", **fields: Any) -> list[dict[str, Any]]:
    return ROWS[format](Example(**{"id": "e", "input": {"q": "Why?"}, **fields}), text)


def test_chat() -> None:
    assert rows("chat", expected="So.") == [{"messages": [USER, SAID]}]
    assert rows("chat", expected=["So.", "Thus."]) == [{"messages": [USER, SAID]}]
    assert rows("chat", expected=3)[0]["messages"][1]["content"] == "3"
    tools = [{"type": "function"}]
    assert rows("chat", input={"messages": [USER], "tools": tools}, expected=CALL) == [
        {"messages": [USER, CALL], "tools": tools}
    ]


def test_prompt_completion() -> None:
    assert rows("prompt-completion", expected="So.") == [{"prompt": "Why?", "completion": "So."}]
    assert rows("prompt-completion", input={"messages": [USER]}, expected="So.") == [
        {"prompt": [USER], "completion": [SAID]}
    ]
    several = {"q": "Why?", "context": "c"}
    assert rows("prompt-completion", "q", input=several, expected="So.") == [
        {"prompt": "Why?", "completion": "So."}
    ]
    with pytest.raises(Unfit, match=r"several fields \(q, context\)"):
        rows("prompt-completion", input=several, expected="So.")


def test_preference_and_unpaired() -> None:
    pair = {"chosen": "So.", "rejected": "No."}
    assert rows("preference", metadata=pair) == [{"prompt": "Why?", **pair}]
    assert rows("preference", metadata={"rejected": "No."}, expected="So.") == [{"prompt": "Why?", **pair}]
    assert rows("unpaired", metadata=pair) == [
        {"prompt": "Why?", "completion": "So.", "label": True},
        {"prompt": "Why?", "completion": "No.", "label": False},
    ]
    assert rows("unpaired", metadata={"label": False}, expected="No.") == [
        {"prompt": "Why?", "completion": "No.", "label": False}
    ]
    for format in ("preference", "unpaired"):
        with pytest.raises(Unfit, match=r"metadata\.rejected"):
            rows(format, expected="So.")


def test_eval() -> None:
    metadata = {"choices": ["So.", "No."], "level": 1}
    assert rows("eval", expected="So.", metadata=metadata, tags=("t",)) == [
        {
            "id": "e",
            "input": "Why?",
            "target": "So.",
            "choices": ["So.", "No."],
            "metadata": {"level": 1, "tags": ["t"]},
        }
    ]


def test_what_a_format_cannot_hold_is_counted() -> None:
    examples = [
        Example(id="a", input={"q": "?"}, expected="x"),
        Example(id="b", input={"q": "?"}),
        Example(id="c", input={"q": 1}, expected="x"),
        Example(id="d", input={"q": 2}, expected="x"),
    ]
    left = looked_over(examples, format="chat")
    assert (left.written, left.rows, left.left_out) == (1, 1, 3)
    assert left.reasons == {
        "It has no expected answer.": 1,
        "The field of its input that is the prompt is no text.": 2,
    }
    assert list(left.example.values()) == ["b", "c"]
    account = Left()
    assert b"".join(write(lambda: examples, format="chat", left=account)).count(b"\n") == 1
    assert account.left_out == 3
    with pytest.raises(InvalidRequest, match="A format is one of jsonl"):
        write(lambda: examples, format="xml")
