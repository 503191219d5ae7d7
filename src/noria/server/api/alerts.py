"""Alerts, their deliveries, and the channels that they go through."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import Field

from noria.server.api.body import Body
from noria.server.api.caller import Editor, Parts, Project, Viewer
from noria.server.api.monitor_bodies import (
    AlertBody,
    AlertDetail,
    AlertPage,
    Channel,
    ChannelList,
    DeliveryBody,
)

router = APIRouter(prefix="/api/alerts", tags=["monitors"])


class Acknowledgement(Body):
    comment: Annotated[str, Field(max_length=5000)] = ""


@router.get("")
def list_alerts(
    parts: Parts,
    who: Viewer,
    project: Project = "default",
    state: Literal["open", "past"] | None = None,
    monitor: Annotated[str, Query(max_length=64)] = "",
    cursor: Annotated[str | None, Query(max_length=64)] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> AlertPage:
    """Newest first."""
    page = parts.monitors.alerts(
        project, open=None if state is None else state == "open", monitor=monitor, cursor=cursor, limit=limit
    )
    return AlertPage(items=[AlertBody.of(alert) for alert in page.items], next=page.next)


@router.get("/channels")
def list_channels(parts: Parts, who: Viewer, project: Project = "default") -> ChannelList:
    """Those of noria.toml."""
    found = parts.monitors.channels()
    return ChannelList(
        items=[Channel.model_validate({"name": name, "kind": kind}) for name, kind in found.items()]
    )


@router.post("/channels/{name}/test", status_code=202)
def test_channel(parts: Parts, who: Editor, name: str, project: Project = "default") -> DeliveryBody:
    """Send a test message, which is tried once; look at the delivery to see what became of it."""
    return DeliveryBody.of(parts.monitors.test(project, name, by=who))


@router.get("/deliveries/{id}")
def read_delivery(parts: Parts, who: Viewer, id: str, project: Project = "default") -> DeliveryBody:
    return DeliveryBody.of(parts.monitors.delivery(project, id))


@router.get("/{id}")
def read_alert(parts: Parts, who: Viewer, id: str, project: Project = "default") -> AlertDetail:
    """One alert, and who was told of it."""
    alert, deliveries = parts.monitors.alert(project, id)
    return AlertDetail(
        alert=AlertBody.of(alert), deliveries=[DeliveryBody.of(delivery) for delivery in deliveries]
    )


@router.post("/{id}/acknowledge")
def acknowledge_alert(
    parts: Parts, who: Editor, id: str, body: Acknowledgement, project: Project = "default"
) -> AlertBody:
    """Say that you look after it. It stays open until the rule is well again."""
    return AlertBody.of(parts.monitors.acknowledge(project, id, comment=body.comment, by=who))
