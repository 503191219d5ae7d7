"""What can be called: routes, called models with what was measured, cards, and weights on disk."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel

from noria.gateway.snapshot import Model, Route, Target
from noria.models.card import Card
from noria.models.price import Price
from noria.runtime.measured import Measured
from noria.server.api.caller import Editor, Owner, Parts, Project, Viewer
from noria.server.api.jobs import JobBody, job_body
from noria.server.api.span_of_time import Within

router = APIRouter(prefix="/api", tags=["models"])


class TierBody(BaseModel):
    above: int
    input: str | None
    output: str | None
    cached: str | None
    cache_write: str | None


class PriceBody(BaseModel):
    """Decimal strings: dollars for one million tokens, an image or a call. None is unknown, "0" is free."""

    id: str
    input: str | None
    output: str | None
    cached: str | None
    cache_write: str | None
    cache_write_1h: str | None
    reasoning: str | None
    audio_input: str | None
    audio_output: str | None
    image: str | None
    request: str
    tiers: list[TierBody]
    date: str | None
    source: str | None


class LicenceBody(BaseModel):
    name: str
    kind: str
    url: str | None
    notes: str | None


class CardBody(BaseModel):
    """A model's card as stated by who made it; unknown is null."""

    id: str
    name: str
    family: str | None
    developer: str | None
    licence: LicenceBody | None
    parameters: int | None
    active_parameters: int | None
    context: int | None
    max_output: int | None
    modalities_in: list[str]
    modalities_out: list[str]
    capabilities: list[str]
    embedding_dimensions: int | None
    architecture: str | None
    training: str | None
    fine_tuning: str | None
    released: str | None
    knowledge_cutoff: str | None
    status: str
    successor: str | None
    image_tokens: int | None
    file_tokens: int | None
    price: PriceBody | None
    links: list[str]
    notes: str | None


class CardList(BaseModel):
    items: list[CardBody]


class MeasuredBody(BaseModel):
    """Over the window asked for; null where nothing was measured."""

    calls: int
    errors: int
    p50_ms: float | None
    p95_ms: float | None
    first_token_p50_ms: float | None
    tokens_per_s: float | None
    """Output tokens of a call over the time of its generation, the median."""
    input_tokens: int
    output_tokens: int
    cost: str
    unknown_cost: int


class ModelBody(BaseModel):
    id: str
    """`provider/name`: what a call may name."""
    provider: str
    upstream: str
    region: str
    dialect: str
    card: CardBody
    price: PriceBody | None
    """What applies here: negotiated, else the card's."""
    adapters: list[str]
    routes: list[str]
    measured: MeasuredBody


class ModelList(BaseModel):
    items: list[ModelBody]


class TargetBody(BaseModel):
    model: str
    weight: float
    order: int
    tags: dict[str, str]
    min_input_tokens: int | None
    max_input_tokens: int | None


class RouteBody(BaseModel):
    name: str
    targets: list[TargetBody]
    strategy: str
    sticky: str
    retries: int
    cache_ttl_s: int
    capture: str
    regions: list[str]
    implicit: bool
    """Made for a model that no route names."""


class RouteList(BaseModel):
    items: list[RouteBody]


class WeightsBody(BaseModel):
    """One known model file: in the cache on disk, or to be had by a pull."""

    name: str
    card: CardBody | None
    source: str
    size_bytes: int | None
    present: bool
    path: str | None
    served: bool
    """An engine has it loaded."""


class WeightsList(BaseModel):
    items: list[WeightsBody]


@router.get("/routes")
def list_routes(parts: Parts, who: Viewer, project: Project = "default") -> RouteList:
    return RouteList(items=[_route(route) for route in parts.serving().routes.values()])


@router.get("/models")
def list_models(parts: Parts, who: Viewer, within: Within, project: Project = "default") -> ModelList:
    """Models that can be called, with what the window's spans say of them."""
    snapshot = parts.serving()
    measured = parts.measured(project, within, list(snapshot.models.values()))
    routes: dict[str, list[str]] = {}
    for route in snapshot.routes.values():
        for target in route.targets:
            if not route.implicit:
                routes.setdefault(target.model, []).append(route.name)
    items: list[ModelBody] = []
    for model in snapshot.models.values():
        provider = snapshot.providers[model.provider]
        items.append(
            _model(
                model,
                routes.get(model.id, []),
                measured[model.id],
                region=provider.region,
                dialect=provider.dialect,
            )
        )
    return ModelList(items=items)


@router.get("/cards")
def list_cards(
    parts: Parts,
    who: Viewer,
    project: Project = "default",
    q: Annotated[str, Query(max_length=200, description="Words that the id, name or family has.")] = "",
) -> CardList:
    """Every card that Noria knows, called here or not."""
    words = q.lower().split()
    cards = [
        card
        for card in parts.shelf.cards()
        if all(word in f"{card.id} {card.name} {card.family or ''}".lower() for word in words)
    ]
    return CardList(items=[card_body(card) for card in cards])


@router.get("/weights")
def list_weights(parts: Parts, who: Viewer, project: Project = "default") -> WeightsList:
    return WeightsList(
        items=[
            WeightsBody(
                name=item.name,
                card=card_body(item.card) if item.card else None,
                source=item.source,
                size_bytes=item.size_bytes,
                present=item.present,
                path=item.path,
                served=item.served,
            )
            for item in parts.shelf.weights()
        ]
    )


@router.post("/weights/{name:path}/pull", status_code=202)
def pull_weights(parts: Parts, who: Editor, name: str, project: Project = "default") -> JobBody:
    """Fetch a model's file; returns the job, which goes on when the page is left."""
    return job_body(parts.shelf.pull(project, name, by=who))


@router.delete("/weights/{name:path}", status_code=204)
def remove_weights(parts: Parts, who: Owner, name: str) -> None:
    """Delete the file from this machine's cache; it can be pulled again."""
    parts.shelf.remove(name, by=who)


def card_body(card: Card) -> CardBody:
    licence = card.licence
    return CardBody(
        **_same(
            card,
            "id name family developer parameters active_parameters context max_output embedding_dimensions"
            " architecture training fine_tuning released knowledge_cutoff status successor image_tokens"
            " file_tokens notes",
        ),
        licence=LicenceBody(**_same(licence, "name kind url notes")) if licence else None,
        modalities_in=list(card.modalities_in),
        modalities_out=list(card.modalities_out),
        capabilities=list(card.capabilities),
        price=price_body(card.price) if card.price else None,
        links=list(card.links),
    )


def price_body(price: Price) -> PriceBody:
    rates = "input output cached cache_write cache_write_1h reasoning audio_input audio_output image request"
    return PriceBody(
        id=price.id,
        **_money(price, rates),
        tiers=[
            TierBody(above=tier.above, **_money(tier, "input output cached cache_write"))
            for tier in price.tiers
        ],
        date=price.date,
        source=price.source,
    )


def _same(value: object, names: str) -> dict[str, Any]:
    return {name: getattr(value, name) for name in names.split()}


def _money(value: object, names: str) -> dict[str, Any]:
    return {
        name: None if (amount := getattr(value, name)) is None else f"{amount.normalize():f}"
        for name in names.split()
    }


def _route(route: Route) -> RouteBody:
    return RouteBody(
        name=route.name,
        targets=[_target(target) for target in route.targets],
        strategy=route.strategy,
        sticky=route.sticky,
        retries=route.retries,
        cache_ttl_s=route.cache.ttl,
        capture=route.capture,
        regions=list(route.regions),
        implicit=route.implicit,
    )


def _target(target: Target) -> TargetBody:
    return TargetBody(
        model=target.model,
        weight=target.weight,
        order=target.order,
        tags=target.when.tags,
        min_input_tokens=target.when.min_input_tokens,
        max_input_tokens=target.when.max_input_tokens,
    )


def _model(model: Model, routes: list[str], measured: Measured, *, region: str, dialect: str) -> ModelBody:
    return ModelBody(
        id=model.id,
        provider=model.provider,
        upstream=model.upstream,
        region=region,
        dialect=dialect,
        card=card_body(model.card),
        price=price_body(model.price) if model.price else None,
        adapters=sorted(model.aliases),
        routes=routes,
        measured=MeasuredBody(**_same(measured, " ".join(MeasuredBody.model_fields))),
    )
