"""A judge that follows a script: it agrees with given labels as often as it is told to."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Mapping

import msgspec

from noria.core.messages import Choice, Message, Request, Response, StreamEvent, Text
from noria.core.usage import Usage
from noria.errors import Unsupported
from noria.testing.connection import Request as HttpRequest
from noria.testing.plan import Plan
from noria.testing.server import Upstream


class Script:
    """What to say to a conversation, by the labelled text that occurs in it.

    Of `labels` (text -> verdict) a share `agreement` is told, drawn by `seed`; in the place of the others one
    of the remaining verdicts.
    """

    def __init__(self, labels: Mapping[str, str], *, agreement: float, seed: int = 0) -> None:
        draw = random.Random(seed)
        every = sorted(set(labels.values()))
        self.verdicts = {
            text: label
            if draw.random() < agreement or len(every) < 2
            else draw.choice([one for one in every if one != label])
            for text, label in labels.items()
        }

    def say(self, conversation: str) -> str:
        """JSON of a verdict; nonsense where no labelled text occurs. The longest that occurs counts."""
        found = max((text for text in self.verdicts if text in conversation), key=len, default=None)
        if found is None:
            return "I would rather talk about the weather."
        return msgspec.json.encode({"reason": "as scripted", "verdict": self.verdicts[found]}).decode()


class ScriptedJudge:
    """models.protocols.ChatModel."""

    def __init__(self, script: Script) -> None:
        self._script = script
        self.asked: list[Request] = []

    async def respond(self, request: Request) -> Response:
        self.asked.append(request)
        said = "\n".join(
            part.text for message in request.messages for part in message.parts if isinstance(part, Text)
        )
        message = Message(role="assistant", parts=(Text(text=self._script.say(said)),))
        return Response(
            id=f"scripted_{len(self.asked)}",
            model=request.model,
            choices=(Choice(message=message, stop_reason="stop"),),
            usage=Usage(input=len(said) // 4, output=12, provenance="reported"),
        )

    def stream(self, request: Request) -> AsyncIterator[StreamEvent]:
        raise Unsupported("A scripted judge does not stream; call `respond`.")


class JudgeUpstream(Upstream):
    """The mock upstream, whose model follows the script."""

    def __init__(self, script: Script) -> None:
        super().__init__()
        self._script = script

    def _plan_for(self, request: HttpRequest, model: str) -> Plan:
        body = msgspec.json.decode(request.body)
        said = "\n".join(str(message.get("content")) for message in body.get("messages", ()))
        return Plan(text=self._script.say(said)) if said else super()._plan_for(request, model)
