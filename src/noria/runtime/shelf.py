"""What is known of models, and the weights on this machine."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Protocol

import msgspec

from noria.access.audit import Act
from noria.access.role import Principal
from noria.errors import InvalidRequest, NotFound
from noria.models import catalogue
from noria.models.card import Card
from noria.models.price import Price
from noria.models.weights import manifest
from noria.runtime.jobs import Job, Jobs
from noria.runtime.versions import Versions


class Catalogue(Protocol):
    """What is known of models."""

    def card(self, name: str, kind: str) -> Card | None: ...

    def price(self, name: str, kind: str) -> Price | None: ...

    def cards(self) -> Iterable[Card]: ...


class KnownModels:
    """The cards and list prices that come with Noria."""

    def card(self, name: str, kind: str) -> Card | None:
        return catalogue.find(name, kind)

    def price(self, name: str, kind: str) -> Price | None:
        # The table of list prices takes long to import, and only an apply needs it.
        from noria.providers.prices import list_price

        return list_price(kind, name)

    def cards(self) -> Iterable[Card]:
        return catalogue.cards()


class WeightsView(msgspec.Struct, frozen=True, kw_only=True):
    """One known model file, in the cache or not."""

    name: str
    card: Card | None
    source: str
    size_bytes: int | None
    present: bool
    path: str | None
    served: bool


class Shelf:
    """Cards to look at, weights to pull and to remove."""

    def __init__(
        self, models: Catalogue, versions: Versions, jobs: Jobs, *, record: Callable[[Act], None]
    ) -> None:
        """`record` writes an act into the audit log."""
        self._models = models
        self._versions = versions
        self._jobs = jobs
        self._record = record

    def cards(self) -> list[Card]:
        return list(self._models.cards())

    def weights(self) -> list[WeightsView]:
        """Those of the manifest, and those that are here beside it, by name."""
        from noria.providers.weights import listed

        here = {stored.name: stored for stored in listed()}
        cards = {card.id: card for card in self.cards()}
        engines = self._versions.config().engines if self._versions.current() else {}
        served = {engine.weights for engine in engines.values()}
        known = {**{name: stored.receipt.weights for name, stored in here.items()}, **manifest()}
        return [
            WeightsView(
                name=name,
                card=cards.get(weights.card or ""),
                source=", ".join(part for file in weights.files for part in file.parts[:1]),
                size_bytes=here[name].size if name in here else weights.size,
                present=name in here,
                path=str(here[name].path) if name in here else None,
                served=name in served,
            )
            for name, weights in sorted(known.items())
        ]

    def pull(self, project: str, name: str, *, by: Principal) -> Job:
        """Fetch weights that the manifest knows. Raises NotFound for others."""
        if name not in manifest():
            raise NotFound(f"No weights are called {name!r}; pull another source with `noria model pull`.")
        return self._jobs.start(project, "weights.pull", name, arguments={"name": name}, by=by)

    def remove(self, name: str, *, by: Principal) -> None:
        """Delete them from this machine. Raises InvalidRequest while an engine serves them."""
        from noria.providers.weights import remove

        found = next((one for one in self.weights() if one.name == name), None)
        if found is None or not found.present:
            raise NotFound(f"No weights called {name!r} are on this machine.")
        if found.served:
            raise InvalidRequest(f"An engine serves {name!r}; take it out of noria.toml first.")
        freed = remove(name)
        self._record(Act(by=by, act="weights.remove", subject=name, details={"freed_bytes": freed}))
