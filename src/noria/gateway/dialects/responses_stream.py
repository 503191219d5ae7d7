"""Stream events → the events of the Responses API, each with its sequence number.

response.created, response.in_progress
for each item: output_item.added, for each of its parts added, delta …, done; output_item.done
response.completed | response.incomplete | response.failed
"""

from __future__ import annotations

from time import time

import msgspec

from noria.core import messages
from noria.core.ids import new_id
from noria.core.usage import NO_USAGE
from noria.errors import UpstreamError
from noria.gateway.dialects import responses_items as items
from noria.gateway.dialects.responses_items import Json
from noria.gateway.dialects.sse import named_frame

_encode = msgspec.json.Encoder().encode


class ResponsesEncoder:
    """dialect.StreamEncoder. Texts that follow one another are the contents of one message."""

    def __init__(self, request: messages.Request) -> None:
        self._request = request
        self._response: Json = {}
        self._output: list[Json] = []
        self._sequence = 0
        self._id = ""
        """Of the item that is open, "" for none."""
        self._contents: list[Json] | None = None
        """Of the message that is open."""
        self._part: messages.Part = messages.Text(text="")
        self._open = False
        """Whether the part's own beginning has been told."""
        self._text: list[str] = []
        self._logprobs: list[Json] = []
        self._summary = request.reasoning is not None and request.reasoning.summary is not None
        self._stop = messages.Stop(stop_reason="error")

    def encode(self, event: messages.StreamEvent) -> bytes:
        match event:
            case messages.Delta():
                return self._delta(event)
            case messages.Start():
                return self._start(event)
            case messages.PartStart():
                return self._part_start(event)
            case messages.PartEnd():
                return self._part_end(event)
            case messages.Stop():
                self._stop = event
                return self._close_message("incomplete" if event.stop_reason == "length" else "completed")
            case messages.Finish():
                return self._finish(event)
            case messages.StreamError():
                raise UpstreamError(event.message, kind="server")

    def _start(self, event: messages.Start) -> bytes:
        self._response = items.asked(
            self._request, known=new_id("resp"), model=event.model, created=event.created or int(time())
        )
        if event.service_tier is not None:
            self._response["service_tier"] = event.service_tier
        return self._frame("response.created", response=self._response) + self._frame(
            "response.in_progress", response=self._response
        )

    def _part_start(self, event: messages.PartStart) -> bytes:
        part = event.part
        out = b""
        if not isinstance(part, messages.Text | messages.Refusal):
            out = self._close_message("completed")
        self._part, self._open, self._text, self._logprobs = part, False, [], []
        said = ""
        match part:
            case messages.Text(text=said) | messages.Refusal(text=said):
                out += self._open_content(part)
            case messages.Reasoning(text=said):
                self._id = new_id("rs")
                empty = items.reasoning(self._id, messages.Reasoning(), as_summary=False)
                out += self._added({**empty, "status": "in_progress"})
            case messages.ToolCall(arguments=said):
                self._id = new_id("fc")
                out += self._added(items.function_call(self._id, part, "", status="in_progress"))
        return out + self._delta(messages.Delta(index=event.index, text=said)) if said else out

    def _open_content(self, part: messages.Text | messages.Refusal) -> bytes:
        out = b""
        if self._contents is None:
            self._id = new_id("msg")
            self._contents = []
            out = self._added(items.message(self._id, [], status="in_progress"))
        content = items.output_text("", (), []) if isinstance(part, messages.Text) else items.refusal("")
        return out + self._content_frame("response.content_part.added", part=content)

    def _delta(self, event: messages.Delta) -> bytes:
        self._text.append(event.text)
        match self._part:
            case messages.Text():
                logprobs = items.logprobs_of(event.logprobs)
                self._logprobs += logprobs
                return self._content_frame("response.output_text.delta", delta=event.text, logprobs=logprobs)
            case messages.Refusal():
                return self._content_frame("response.refusal.delta", delta=event.text)
            case messages.ToolCall():
                return self._item_frame("response.function_call_arguments.delta", delta=event.text)
            case _:
                return self._thought(event.text)

    def _thought(self, text: str) -> bytes:
        out = b""
        if not self._open:
            self._open = True
            if self._summary:
                out = self._item_frame(
                    "response.reasoning_summary_part.added",
                    summary_index=0,
                    part={"type": "summary_text", "text": ""},
                )
            else:
                out = self._item_frame(
                    "response.content_part.added",
                    content_index=0,
                    part={"type": "reasoning_text", "text": ""},
                )
        if self._summary:
            return out + self._item_frame(
                "response.reasoning_summary_text.delta", summary_index=0, delta=text
            )
        return out + self._item_frame("response.reasoning_text.delta", content_index=0, delta=text)

    def _part_end(self, event: messages.PartEnd) -> bytes:
        text = "".join(self._text)
        match self._part:
            case messages.Text():
                return self._text_end(text, event.citations)
            case messages.Refusal():
                return self._content_end(
                    self._content_frame("response.refusal.done", refusal=text), items.refusal(text)
                )
            case messages.ToolCall() as call:
                out = self._item_frame(
                    "response.function_call_arguments.done", name=call.name, arguments=text
                )
                return out + self._done(items.function_call(self._id, call, text, status="completed"))
            case messages.Reasoning() as part:
                return self._thought_end(
                    messages.Reasoning(
                        text=text, signature=event.signature, encrypted=event.encrypted or part.encrypted
                    )
                )
            case _:
                return b""

    def _text_end(self, text: str, citations: tuple[msgspec.Raw, ...]) -> bytes:
        out = b""
        for index, citation in enumerate(citations):
            out += self._content_frame(
                "response.output_text.annotation.added", annotation_index=index, annotation=citation
            )
        out += self._content_frame("response.output_text.done", text=text, logprobs=self._logprobs)
        return self._content_end(out, items.output_text(text, citations, self._logprobs))

    def _content_end(self, out: bytes, content: Json) -> bytes:
        out += self._content_frame("response.content_part.done", part=content)
        assert self._contents is not None
        self._contents.append(content)
        return out

    def _thought_end(self, part: messages.Reasoning) -> bytes:
        out = b""
        if self._open and self._summary:
            whole: Json = {"type": "summary_text", "text": part.text}
            out = self._item_frame(
                "response.reasoning_summary_text.done", summary_index=0, text=part.text
            ) + self._item_frame("response.reasoning_summary_part.done", summary_index=0, part=whole)
        elif self._open:
            whole = {"type": "reasoning_text", "text": part.text}
            out = self._item_frame(
                "response.reasoning_text.done", content_index=0, text=part.text
            ) + self._item_frame("response.content_part.done", content_index=0, part=whole)
        return out + self._done(items.reasoning(self._id, part, as_summary=self._summary))

    def _close_message(self, status: str) -> bytes:
        if self._contents is None:
            return b""
        contents, self._contents = self._contents, None
        return self._done(items.message(self._id, contents, status=status))

    def _finish(self, event: messages.Finish) -> bytes:
        end = items.ended(self._stop.stop_reason, self._stop.raw_stop_reason)
        self._response |= end
        self._response["output"] = self._output
        self._response["usage"] = None if event.usage == NO_USAGE else items.usage_of(event.usage)
        if end["status"] == "completed":
            self._response["completed_at"] = int(time())
        return self._frame(f"response.{end['status']}", response=self._response)

    def _added(self, item: Json) -> bytes:
        return self._frame("response.output_item.added", output_index=len(self._output), item=item)

    def _done(self, item: Json) -> bytes:
        out = self._frame("response.output_item.done", output_index=len(self._output), item=item)
        self._output.append(item)
        self._id = ""
        return out

    def _item_frame(self, name: str, /, **fields: object) -> bytes:
        return self._frame(name, item_id=self._id, output_index=len(self._output), **fields)

    def _content_frame(self, name: str, /, **fields: object) -> bytes:
        return self._item_frame(name, content_index=len(self._contents or ()), **fields)

    def _frame(self, name: str, /, **fields: object) -> bytes:
        number = self._sequence
        self._sequence += 1
        return named_frame(name, _encode({"type": name, "sequence_number": number, **fields}))
