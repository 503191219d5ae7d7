"""Whom and what the work of this moment is about; it goes with every call and every span made within."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar

import msgspec


class About(msgspec.Struct, frozen=True, omit_defaults=True):
    """As the gateway takes it in a body's `noria` object."""

    user: str = ""
    session: str = ""
    episode: str = ""
    tags: dict[str, str] = {}

    def attributes(self) -> dict[str, str]:
        """As span attributes that the collector understands."""
        named = {"user.id": self.user, "session.id": self.session, "noria.episode": self.episode}
        said = {name: value for name, value in named.items() if value}
        return said | {f"noria.tag.{name}": value for name, value in self.tags.items()}


NOTHING = About()
_about: ContextVar[About] = ContextVar("noria_about", default=NOTHING)


@contextmanager
def about(
    *,
    user: str | None = None,
    session: str | None = None,
    episode: str | None = None,
    tags: Mapping[str, str] | None = None,
) -> Generator[About]:
    """Say it for all calls and spans within; what is not given stays as it was, and tags are added."""
    outer = _about.get()
    inner = About(
        user=outer.user if user is None else user,
        session=outer.session if session is None else session,
        episode=outer.episode if episode is None else episode,
        tags={**outer.tags, **(tags or {})},
    )
    token = _about.set(inner)
    try:
        yield inner
    finally:
        _about.reset(token)


def current() -> About:
    """What has been said around here."""
    return _about.get()
