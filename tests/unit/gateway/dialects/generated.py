"""Strategies for values of `core.messages`, in the normal form that every front decodes to.

Adjacent tool messages are one, an assistant says reasoning first, then text, then calls, and texts are not
empty.
"""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

import msgspec
from hypothesis import settings
from hypothesis import strategies as st

from noria.core import messages
from noria.core.usage import Usage

_KEYS = (
    *("role", "content", "type", "text", "model", "messages", "input", "tools", "tool_calls", "id", "name"),
    *("function", "max_tokens", "tool_use_id", "source", "data", "image_url", "output", "call_id"),
    *("arguments", "summary", "stop", "thinking", "system"),
)
words = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)
names = st.from_regex(r"[a-zA-Z_][a-zA-Z0-9_-]{0,15}", fullmatch=True)
counts = st.integers(0, 100_000)
numbers = st.floats(-2, 2, allow_nan=False)
base64 = st.binary(max_size=12).map(lambda data: __import__("base64").b64encode(data).decode())
schemas = st.dictionaries(names, st.sampled_from([{"type": "string"}, {"type": "integer"}]), max_size=3).map(
    lambda properties: msgspec.Raw(json.dumps({"type": "object", "properties": properties}).encode())
)
arguments = st.dictionaries(words, st.one_of(words, st.integers(-9, 9), st.none()), max_size=3).map(
    json.dumps
)


def examples(count: int = 60) -> settings:
    """How many, and without a deadline: these tests compare values, and the machine may be busy."""
    return settings(max_examples=count, deadline=None)


def maybe(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.none() | strategy


def texts(cache: st.SearchStrategy[str | None]) -> st.SearchStrategy[messages.Text]:
    return st.builds(messages.Text, text=words, cache=cache, citations=st.just(()))


def images(cache: st.SearchStrategy[str | None], *, details: bool) -> st.SearchStrategy[messages.Image]:
    detail = st.sampled_from([None, "auto", "low", "high", "original"]) if details else st.none()
    return st.one_of(
        st.builds(messages.Image, url=st.just("https://example.com/a.png"), detail=detail, cache=cache),
        st.builds(
            messages.Image,
            data=base64,
            media_type=st.sampled_from(["image/png", "image/jpeg"]),
            detail=detail,
            cache=cache,
        ),
    )


calls = st.builds(messages.ToolCall, id=names, name=names, arguments=arguments)
tools = st.builds(
    messages.Tool, name=names, description=maybe(words), parameters=schemas, strict=maybe(st.booleans())
)


def tool_choices(*, allowed: bool) -> st.SearchStrategy[messages.ToolChoice | None]:
    options: list[st.SearchStrategy[messages.ToolChoice | None]] = [
        st.none(),
        st.builds(messages.ToolChoice, mode=st.sampled_from(["auto", "none", "required"])),
        st.builds(messages.ToolChoice, mode=st.just("required"), name=names),
    ]
    if allowed:
        some = st.lists(names, min_size=1, max_size=3).map(tuple)
        options.append(
            st.builds(messages.ToolChoice, mode=st.sampled_from(["auto", "required"]), allowed=some)
        )
    return st.one_of(options)


def conversations(
    *,
    system: st.SearchStrategy[messages.Message],
    user: st.SearchStrategy[messages.Message],
    assistant: st.SearchStrategy[messages.Message],
    tool: st.SearchStrategy[messages.Message],
    at_most_one_system: bool = False,
) -> st.SearchStrategy[tuple[messages.Message, ...]]:
    turns = st.lists(st.one_of(user, assistant, tool), max_size=5).filter(
        lambda said: not any(a.role == b.role == "tool" for a, b in pairwise(said))
    )
    lead = st.lists(system, max_size=1 if at_most_one_system else 2)
    return st.tuples(lead, turns).map(lambda found: (*found[0], *found[1]))


def usages(*, hours: bool, audio: bool) -> st.SearchStrategy[Usage]:
    nothing = st.just(0)
    return st.builds(
        lambda cached, written, hour, fresh, reasoning, answer, heard, said: Usage(
            input=cached + written + hour + fresh,
            output=reasoning + answer,
            cached=cached,
            cache_write=written,
            cache_write_1h=hour,
            reasoning=reasoning,
            audio_input=heard,
            audio_output=said,
            provenance="reported",
        ),
        counts,
        counts,
        counts if hours else nothing,
        counts,
        counts,
        counts,
        counts if audio else nothing,
        counts if audio else nothing,
    )


logprobs = st.lists(
    st.builds(
        messages.TokenLogprob,
        token=words,
        logprob=numbers,
        bytes=maybe(st.lists(st.integers(0, 255), max_size=3).map(tuple)),
        top=st.lists(
            st.builds(messages.TokenLogprob, token=words, logprob=numbers, bytes=st.none(), top=st.just(())),
            max_size=2,
        ).map(tuple),
    ),
    min_size=1,
    max_size=3,
).map(tuple)


def pieces(text: str, cuts: list[int]) -> list[str]:
    """`text` in at least one piece, none of them empty."""
    places = sorted({cut % (len(text) + 1) for cut in cuts} | {0, len(text)})
    return [text[start:end] for start, end in pairwise(places)]


def streamed(response: messages.Response, cuts: list[int]) -> list[messages.StreamEvent]:
    """The events of a response, as a decoder makes them."""
    events: list[messages.StreamEvent] = [
        messages.Start(id=response.id, model=response.model, created=response.created)
    ]
    for number, choice in enumerate(response.choices):
        for index, part in enumerate(choice.message.parts):
            end = messages.PartEnd(index=index, choice=number)
            match part:
                case messages.Text(text=text):
                    start: Any = messages.Text(text="")
                    end = messages.PartEnd(index=index, choice=number, citations=part.citations)
                case messages.Refusal(text=text):
                    start = messages.Refusal(text="")
                case messages.Reasoning(text=text):
                    start = messages.Reasoning()
                    end = messages.PartEnd(
                        index=index, choice=number, signature=part.signature, encrypted=part.encrypted
                    )
                case messages.ToolCall(arguments=text):
                    start = msgspec.structs.replace(part, arguments="")
                case _:
                    raise AssertionError(part)
            events.append(messages.PartStart(index=index, part=start, choice=number))
            events += [
                messages.Delta(index=index, text=piece, choice=number) for piece in pieces(text, cuts) if text
            ]
            events.append(end)
        events.append(
            messages.Stop(
                stop_reason=choice.stop_reason,
                choice=number,
                stop_sequence=choice.stop_sequence,
                raw_stop_reason=choice.raw_stop_reason,
            )
        )
    events.append(messages.Finish(usage=response.usage))
    return events


def merged(events: list[messages.StreamEvent]) -> list[messages.StreamEvent]:
    """The events with neighbouring deltas of one part joined."""
    out: list[messages.StreamEvent] = []
    for event in events:
        last = out[-1] if out else None
        if (
            isinstance(event, messages.Delta)
            and isinstance(last, messages.Delta)
            and (last.index, last.choice) == (event.index, event.choice)
        ):
            out[-1] = msgspec.structs.replace(
                last, text=last.text + event.text, logprobs=last.logprobs + event.logprobs
            )
        else:
            out.append(event)
    return out


def split(data: bytes, cuts: list[int]) -> list[bytes]:
    """`data` in pieces."""
    places = sorted({cut % (len(data) + 1) for cut in cuts} | {0, len(data)})
    return [data[start:end] for start, end in pairwise(places)]


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | words | st.sampled_from(["user", "text", "assistant"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(_KEYS), inner, max_size=4),
    max_leaves=12,
)
