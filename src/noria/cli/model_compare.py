"""`noria model compare`: what cards say of several models, and with a dataset what was measured of them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from noria.cli.model_card import card_facts, card_json, card_of
from noria.cli.options import config_option, project_option
from noria.cli.output import json_option, print_json, say
from noria.cli.table import beside
from noria.errors import UserError

if TYPE_CHECKING:
    from noria.models.card import Card


@click.command()
@click.argument("names", nargs=-1, required=True)
@click.option("--dataset", default="", help="Ask them its examples: name, name@3, name@golden, name@3:test.")
@click.option("--prompt", default="", help="Asked with this prompt: name, name@label or name@number.")
@click.option("--scorer", "scorers", multiple=True, help="Left out: by the form of the expected answers.")
@click.option("--measure", default="", help="Which of their numbers is the quality; left out: the first.")
@click.option(
    "--require", multiple=True,
    help="Such as licence=permissive, context>=32k, cost<=0.50, p95<=1500. Repeatable.",
)  # fmt: skip
@click.option("--unknown", type=click.Choice(["keep", "exclude"]), default="keep", show_default=True,
              help="What becomes of a model of which a required fact is not known.")  # fmt: skip
@click.option("--limit", type=click.IntRange(0), default=0, help="At most so many examples.")
@click.option("--max-tokens", type=click.IntRange(1), help="Of one answer; needed to bound what it may cost.")
@click.option("--budget", help="US dollars that it may spend.")
@click.option(
    "--concurrency", type=click.IntRange(1, 64), default=4, show_default=True, help="Calls at a time."
)
@click.option("--fresh", is_flag=True, help="Do not use answers of earlier runs.")
@click.option("--yes", is_flag=True, help="Begin also where it may cost over $1, or an unknown sum.")
@click.option("--output", "-o", type=click.Path(path_type=Path), help="Also write the report: .html or .md.")
@config_option
@project_option
@json_option
def compare(
    names: tuple[str, ...], dataset: str, require: tuple[str, ...], unknown: Any, as_json: bool, **given: Any
) -> None:
    """Set models beside one another: their cards, and with --dataset quality, cost and latency.

    Without --dataset NAMES are cards and no Noria needs to run; with it they are routes or models of the one
    that runs. What breaks a requirement is left out, and it is said why.
    """
    if dataset:
        _measure(names, dataset, require, unknown, as_json=as_json, given=given)
        return
    options = ("prompt", "scorers", "measure", "budget", "output")
    asked = [f"--{name.removesuffix('s')}" for name in options if given[name]]
    if asked:
        raise UserError(f"{', '.join(asked)} need a --dataset to ask.")
    _compare_cards(names, require, unknown, as_json=as_json)


def _compare_cards(names: tuple[str, ...], require: tuple[str, ...], unknown: Any, *, as_json: bool) -> None:
    cards: list[tuple[Card, tuple[str, ...]]] = []
    for name in names:
        card = card_of(name)
        if card is None:
            raise UserError(f"No card is called {name!r}; `noria model cards {name}` searches them.")
        cards.append((card, _excluded(card, require, unknown) if require else ()))
    if as_json:
        said = [{**card_json(card), "excluded": list(excluded)} for card, excluded in cards]
        print_json(said if require else [card_json(card) for card, _ in cards])
        return
    beside([{**card_facts(card), "left out": "; ".join(excluded)} for card, excluded in cards])


def _excluded(card: Card, require: tuple[str, ...], unknown: Any) -> tuple[str, ...]:
    """By what a card says alone."""
    from noria.config.mistake import nearest
    from noria.evals.explore.candidates import Facts, candidate
    from noria.evals.explore.constraints import parse_rules

    constraints = parse_rules(require, nearest=nearest)
    measured = constraints.latency_p95_ms is not None or constraints.cost_per_1000 is not None
    if measured or constraints.privacy or constraints.regions:
        raise UserError("p95, cost, privacy and region are not of a card; they need a --dataset to ask.")
    licence = card.licence
    facts = Facts(
        model=card.id,
        licence=None if licence is None else licence.name,
        licence_kind=None if licence is None else licence.kind,
        context=card.context,
        parameters=card.parameters,
        capabilities=card.capabilities,
    )
    return candidate(card.id, [facts], constraints, unknown=unknown).excluded


def _measure(
    names: tuple[str, ...],
    dataset: str,
    require: tuple[str, ...],
    unknown: str,
    *,
    as_json: bool,
    given: Mapping[str, Any],
) -> None:
    from noria.cli.alone import reach
    from noria.cli.explore import followed, may_begin

    body: dict[str, Any] = {
        "models": list(names), "dataset": dataset, "require": list(require), "unknown": unknown,
        "prompt": given["prompt"], "scorers": list(given["scorers"]), "measure": given["measure"],
        "limit": given["limit"], "budget": given["budget"], "concurrency": given["concurrency"],
        "fresh": given["fresh"],
        "parameters": {} if given["max_tokens"] is None else {"max_tokens": given["max_tokens"]},
    }  # fmt: skip
    with reach(given["path"], project=given["project"]) as api:
        may_begin(api.post("/api/explorations/comparisons/plan", body), yes=given["yes"])
        begun = api.post("/api/explorations/comparisons", body)
        ended = followed(api, begun["id"])
        found = api.get(f"/api/explorations/{begun['id']}/findings")
        _show(found, as_json=as_json)
        output: Path | None = given["output"]
        if output is not None:
            form = "html" if output.suffix == ".html" else "markdown"
            output.write_bytes(b"".join(api.chunks(f"/api/explorations/{begun['id']}/report", form=form)))
            say(f"The report is in {output}.")
    if ended["state"] != "done":
        raise click.exceptions.Exit(1)


def _show(found: Mapping[str, Any], *, as_json: bool) -> None:
    """Cards beside one another, then what was measured."""
    from noria.cli.explore_shown import show_findings

    if not as_json:
        beside([_stated(one, fact) for one in found["candidates"] for fact in one["facts"]])
        click.echo()
    show_findings(found, as_json=as_json)


def _stated(one: Mapping[str, Any], fact: Mapping[str, Any]) -> dict[str, object]:
    known = fact["price_input"] is not None and fact["price_output"] is not None
    return {
        "model": one["model"] if one["model"] == fact["model"] else f"{one['model']} -> {fact['model']}",
        "licence": f"{fact['licence']} ({fact['licence_kind']})" if fact["licence"] else None,
        "parameters": f"{fact['parameters']:,}" if fact["parameters"] else None,
        "context": f"{fact['context']:,} tokens" if fact["context"] else None,
        "price": f"${fact['price_input']} / ${fact['price_output']} for a million tokens in / out"
        if known
        else None,
        "price of": fact["price_date"],
        "runs": "here" if fact["local"] else fact["region"] or None,
        "training": fact["training"],
        "fine-tuning": fact["fine_tuning"],
        "left out": "; ".join(one["excluded"]),
    }
