"""The page's own calls: relayed to the gateway, byte for byte, as whoever is signed in."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Body, Request
from fastapi.responses import Response, StreamingResponse
from pydantic import BaseModel
from starlette.concurrency import run_in_threadpool

from noria.server.api.caller import Editor, Parts, Project
from noria.server.api.relay import Relay

router = APIRouter(prefix="/api/playground", tags=["playground"])

_STREAM: dict[int | str, dict[str, Any]] = {
    200: {"content": {"application/json": {}, "text/event-stream": {}}}
}
Call = Annotated[
    dict[str, Any], Body(description="As the gateway's endpoint of the same name takes it; may stream.")
]


class PlaygroundModel(BaseModel):
    id: str
    """The name to call: a route, or `provider/name`."""
    route: bool
    capabilities: list[str]
    """Those that every target has."""
    context: int | None
    """The shortest of the targets'."""


class PlaygroundModels(BaseModel):
    items: list[PlaygroundModel]


@router.get("/models")
def playground_models(parts: Parts, who: Editor, project: Project = "default") -> PlaygroundModels:
    """What can be called: routes first, then models."""
    snapshot = parts.serving()
    items: list[PlaygroundModel] = []
    for route in sorted(snapshot.routes.values(), key=lambda route: (route.implicit, route.name)):
        cards = [snapshot.models[target.model].card for target in route.targets]
        shared = set(cards[0].capabilities).intersection(*(card.capabilities for card in cards))
        contexts = [card.context for card in cards if card.context is not None]
        items.append(
            PlaygroundModel(
                id=route.name,
                route=not route.implicit,
                capabilities=sorted(shared),
                context=min(contexts, default=None),
            )
        )
    return PlaygroundModels(items=items)


@router.post("/chat/completions", response_class=Response, responses=_STREAM)
async def playground_chat(
    request: Request, parts: Parts, who: Editor, body: Call, project: Project = "default"
) -> Response:
    return await _relay(request, parts, who, project, "/v1/chat/completions")


@router.post("/responses", response_class=Response, responses=_STREAM)
async def playground_responses(
    request: Request, parts: Parts, who: Editor, body: Call, project: Project = "default"
) -> Response:
    return await _relay(request, parts, who, project, "/v1/responses")


@router.post("/messages", response_class=Response, responses=_STREAM)
async def playground_messages(
    request: Request, parts: Parts, who: Editor, body: Call, project: Project = "default"
) -> Response:
    return await _relay(request, parts, who, project, "/v1/messages")


async def _relay(request: Request, parts: Parts, who: Editor, project: str, path: str) -> Response:
    relay: Relay = request.app.state.relay
    url = await run_in_threadpool(parts.gateway_address) + path
    answer = await relay.post(url, await request.body(), token=parts.token_for(who, project))
    return StreamingResponse(answer.chunks, answer.status, headers=answer.headers)
