"""`noria model`: weights on this machine, and what is known of models. Needs no running Noria."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from noria.cli.model_card import card_facts, card_json, card_of, parameters, price
from noria.cli.model_compare import compare
from noria.cli.options import config_option
from noria.cli.output import json_option, print_json, say
from noria.cli.quantities import size
from noria.cli.table import facts, table
from noria.errors import UserError

if TYPE_CHECKING:
    from noria.models.weights import Weights
    from noria.providers.weights import Stored


@click.group()
def model() -> None:
    """Models: weights on this machine, and the cards of models anywhere."""


model.add_command(compare)


@model.command("list")
@json_option
def list_weights(as_json: bool) -> None:
    """List the weights that can run here, and which of them are on this machine."""
    from noria.models.weights import manifest
    from noria.providers.weights import listed

    here = {stored.name: stored for stored in listed()}
    known = {**{name: stored.receipt.weights for name, stored in here.items()}, **manifest()}
    if as_json:
        print_json([_weights_json(weights, here.get(name)) for name, weights in known.items()])
        return
    rows = [
        (
            name,
            weights.kind,
            size(here[name].size if name in here else weights.size),
            weights.quantisation or "-",
            weights.licence or "unknown",
            "here" if name in here else "-",
            _trust(weights, here.get(name)),
        )
        for name, weights in sorted(known.items(), key=lambda item: (item[1].kind, item[1].size or 0))
    ]
    columns = ("name", "kind", "size", "quantised", "licence", "on disk", "checksum")
    table(columns, rows, empty="", drop=("quantised", "checksum", "licence"), right=("size",))
    missing = sum(name not in here for name in known)
    if missing:
        say("`noria model pull NAME` fetches one; `[engines.NAME]` in noria.toml serves it.")


@model.command("show")
@click.argument("name")
@json_option
def show_model(name: str, as_json: bool) -> None:
    """Show the card of a model, and its weights where it can run here."""
    from noria.models.weights import manifest
    from noria.providers.weights import find, listed

    weights = manifest().get(name) or next(
        (one.receipt.weights for one in listed() if one.name == name), None
    )
    card = card_of(weights.card or name if weights else name)
    if card is None and weights is None:
        raise UserError(f"No model is called {name!r}; `noria model cards {name}` searches the cards.")
    stored = find(name) if weights else None
    if as_json:
        value = {
            "card": card_json(card) if card else None,
            "weights": _weights_json(weights, stored) if weights else None,
        }
        print_json(value)
        return
    if card is not None:
        facts(card_facts(card))
    if weights is not None:
        click.echo()
        facts(
            {
                "weights": weights.name,
                "kind": weights.kind,
                "size": size(stored.size if stored else weights.size),
                "quantised": weights.quantisation,
                "source": [part for file in weights.files for part in file.parts],
                "checksum": _trust(weights, stored),
                "on disk": str(stored.path)
                if stored
                else f"no; `noria model pull {weights.name}` fetches it",
                "notes": weights.notes,
            }
        )


@model.command("pull")
@click.argument("name")
@click.option(
    "--sha256", help="The checksum that the file must have; for a source that the list does not have."
)
@click.option("--unverified", is_flag=True, help="Take a file that no checksum vouches for.")
@json_option
def pull_weights(name: str, sha256: str | None, unverified: bool, as_json: bool) -> None:
    """Fetch weights: a NAME of `noria model list`, or a source such as hf:OWNER/REPO/FILE or file:PATH.

    A download that broke off goes on where it stopped. Prints where the file is.
    """
    from noria.cli.progress import WeightsBar
    from noria.providers.weights import pull

    with WeightsBar() as bar:
        path = pull(name, progress=bar.report, sha256=sha256, unverified=unverified)
    if as_json:
        print_json({"name": name, "path": str(path)})
    else:
        click.echo(str(path))


@model.command("remove")
@click.argument("name")
@config_option
@json_option
def remove_weights(name: str, path: Path, as_json: bool) -> None:
    """Delete weights from this machine; they can be pulled again."""
    from noria.providers.weights import find, remove

    stored = find(name)
    if stored is None:
        raise UserError(f"No weights called {name!r} are on this machine; `noria model list` shows them.")
    if not _removed_by_control(name, path):
        remove(name)
    if as_json:
        print_json({"name": name, "size_bytes": stored.size})
    else:
        say(f"Removed {name}, {size(stored.size)}.")


@model.command("cards")
@click.argument("words", nargs=-1)
@click.option("--all", "every", is_flag=True, help="Retired models too.")
@json_option
def list_cards(words: tuple[str, ...], every: bool, as_json: bool) -> None:
    """List the cards whose id, name, family or developer has all WORDS."""
    from noria.models.catalogue import cards

    wanted = [word.lower() for word in words]
    found = [
        card
        for card in cards()
        if (every or words or card.status != "retired")
        and all(
            word in f"{card.id} {card.name} {card.family or ''} {card.developer or ''}".lower()
            for word in wanted
        )
    ]
    if as_json:
        print_json([card_json(card) for card in found])
        return
    rows = [
        (
            card.id,
            parameters(card.parameters),
            f"{card.context:,}" if card.context else "-",
            price(card),
            card.licence.name if card.licence else "unknown",
            card.status,
        )
        for card in found
    ]
    columns = ("id", "parameters", "context", "$ in / out", "licence", "status")
    table(
        columns,
        rows,
        empty="No card has these words.",
        cut=("licence", "id"),
        drop=("status", "context"),
        right=("parameters", "context", "$ in / out"),
    )


def _removed_by_control(name: str, path: Path) -> bool:
    """A Noria that runs here says whether an engine serves the weights, and puts it into its audit log."""
    from urllib.parse import quote

    from noria.cli.alone import answers
    from noria.cli.api import Api
    from noria.storage.home import Home

    home = Home.beside(path)
    if not (home.folder / "run").exists() or not answers(home):
        return False
    Api(home).delete(f"/api/weights/{quote(name, safe='')}")
    return True


def _trust(weights: Weights, stored: Stored | None) -> str:
    if stored is not None:
        return "verified" if stored.receipt.verified else "unverified"
    return "pinned" if weights.pinned else "none"


def _weights_json(weights: Weights, stored: Stored | None) -> dict[str, object]:
    import msgspec

    return {
        **msgspec.to_builtins(weights),
        "size_bytes": stored.size if stored else weights.size,
        "present": stored is not None,
        "path": str(stored.path) if stored else None,
        "verified": stored.receipt.verified if stored else None,
    }
