"""`noria dataset`: versioned examples, golden sets, splits and differences."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any
from urllib.parse import quote

import click

from noria.cli.api import Api
from noria.cli.options import with_api
from noria.cli.output import json_option, print_json, say
from noria.cli.quantities import ago, at
from noria.cli.table import facts, plain, shorten, table
from noria.errors import UserError

_ELSEWHERE = {
    "import": "noria.cli.dataset_import:import_dataset",
    "export": "noria.cli.dataset_export:export_dataset",
    "build": "noria.cli.dataset_build:build",
    "builds": "noria.cli.dataset_build:builds",
    "drops": "noria.cli.dataset_build:drops",
    "undo": "noria.cli.dataset_build:undo",
    "steps": "noria.cli.dataset_build:steps",
}
"""Commands that are imported when they are used."""
WIDE = 60
"""Characters of a value in a table."""


class _Group(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return [*super().list_commands(ctx), *_ELSEWHERE]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _ELSEWHERE:
            return super().get_command(ctx, cmd_name)
        module, _, name = _ELSEWHERE[cmd_name].partition(":")
        return getattr(import_module(module), name)


@click.group(cls=_Group)
def dataset() -> None:
    """Datasets: examples with their versions."""


version_option = click.option(
    "--version", default="", help="A version's number, or `golden`; left out: the newest."
)
split_option = click.option("--split", default="", help="Only examples of this split.")


@dataset.command("list")
@click.option("--search", "text", default="", help="A text in name or description.")
@click.option("--tag", default="", help="Only datasets with this tag.")
@json_option
@with_api
def list_datasets(api: Api, text: str, tag: str, as_json: bool) -> None:
    """List datasets by name."""
    found = list(api.pages("/api/datasets", q=text, tag=tag))
    if as_json:
        print_json(found)
        return
    rows = [
        (
            one["name"],
            one["latest"] or "-",
            one["golden"] or "-",
            ", ".join(one["tags"]) or "-",
            ago(one["created_ms"]),
            one["description"],
        )
        for one in found
    ]
    table(
        ("name", "newest", "golden", "tags", "made", "description"),
        rows,
        empty="There are no datasets; `noria dataset import NAME FILE` makes one.",
        cut=("description", "tags"),
        drop=("made", "description"),
    )


@dataset.command("show")
@click.argument("name")
@version_option
@json_option
@with_api
def show_dataset(api: Api, name: str, version: str, as_json: bool) -> None:
    """Show dataset NAME, its newest version or another, and its last versions."""
    found = api.get(f"/api/datasets/{_path(name)}")
    if version:
        found["version"] = _version(api, name, version)
    versions = api.get(f"/api/datasets/{_path(name)}/versions", limit=10)["items"]
    if as_json:
        print_json({**found, "versions": versions})
        return
    _facts(found)
    if versions:
        click.echo()
        rows = [
            (
                one["number"],
                one["examples"],
                "golden" if one["golden"] else "",
                at(one["created_ms"]),
                one["by_name"],
                one["comment"],
            )
            for one in versions
        ]
        table(("version", "examples", "", "made", "by", "comment"), rows, empty="", cut=("comment",))


@dataset.command("examples")
@click.argument("name")
@click.argument("id", required=False)
@version_option
@split_option
@click.option("--search", "text", default="", help="A text that is somewhere in the example.")
@click.option("--tag", default="", help="Only examples with this tag.")
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1), help="At most so many.")
@json_option
@with_api
def show_examples(
    api: Api,
    name: str,
    id: str | None,
    version: str,
    split: str,
    text: str,
    tag: str,
    limit: int,
    as_json: bool,
) -> None:
    """List examples of NAME; or show the one with ID and its history."""
    path = f"/api/datasets/{_path(name)}/examples"
    if id is not None:
        found = api.get(f"{path}/{quote(id, safe='')}", version=version)
        print_json(found) if as_json else _example(found)
        return
    found_items: list[Any] = []
    asked = {"version": version, "split": split, "q": text, "tag": tag, "limit": min(limit, 500)}
    for one in api.pages(path, **asked):
        found_items.append(one)
        if len(found_items) == limit:
            break
    if as_json:
        print_json(found_items)
        return
    rows = [
        (
            one["id"],
            shorten(plain(_short(one["input"])), WIDE),
            shorten(plain(_short(one["expected"])), WIDE),
            ", ".join(one["tags"]) or "-",
        )
        for one in found_items
    ]
    table(
        ("id", "input", "expected", "tags"),
        rows,
        empty="No example is like that.",
        cut=("input", "expected", "tags", "id"),
        drop=("tags",),
    )


@dataset.command("diff")
@click.argument("name")
@click.argument("before", type=click.IntRange(0), required=False)
@click.argument("after", type=click.IntRange(1), required=False)
@click.option(
    "--limit", default=50, show_default=True, type=click.IntRange(1), help="At most so many changes."
)
@json_option
@with_api
def diff_dataset(
    api: Api, name: str, before: int | None, after: int | None, limit: int, as_json: bool
) -> None:
    """Show what version AFTER (the newest) of NAME has that BEFORE (the one before it) has not."""
    path = f"/api/datasets/{_path(name)}"
    if after is None:
        after = int(api.get(path)["dataset"]["latest"])
    if before is None:
        numbers = [one["number"] for one in api.pages(f"{path}/versions") if one["number"] < after]
        before = numbers[0] if numbers else 0
    asked = {"from": before, "to": after}
    first = api.get(f"{path}/diff", **asked, limit=min(limit, 200))
    changes: list[Any] = list(first["items"])
    cursor = first["next"]
    while cursor and len(changes) < limit:
        page = api.get(f"{path}/diff", **asked, cursor=cursor, limit=min(limit - len(changes), 200))
        changes += page["items"]
        cursor = page["next"]
    if as_json:
        print_json({"from": before, "to": after, "counts": first["counts"], "items": changes})
        return
    counts = first["counts"]
    say(
        f"{name}, version {before} to {after}: {counts['create']:,} created, {counts['patch']:,} patched, "
        f"{counts['delete']:,} deleted."
    )
    for change in changes:
        _change(change)
    if cursor:
        say(f"The first {len(changes):,} are shown; --limit shows more.")


@dataset.command("split")
@click.argument("name")
@click.argument("shares", nargs=-1, metavar="[NAME=SHARE]...")
@click.option(
    "--by", default="", help="Show how the values of a field fall on the splits: metadata.language."
)
@click.option("-m", "--comment", default="", help="Why.")
@version_option
@json_option
@with_api
def split_dataset(
    api: Api,
    name: str,
    shares: tuple[str, ...],
    by: str,
    comment: str,
    version: str,
    as_json: bool,
) -> None:
    """Put the examples of NAME into splits, such as train=0.8 test=0.2, as a new version; or show the splits.

    An example's split depends on its group, else on its id, alone: it stays when the dataset grows.
    """
    path = f"/api/datasets/{_path(name)}"
    if shares:
        made = api.post(f"{path}/splits", {"splits": shares_of(shares), "comment": comment})
        print_json(made) if as_json else say(f"Version {made['number']}: {_splits(made)}")
        return
    if not by:
        found = api.get(path)["version"] if not version else _version(api, name, version)
        if found is None:
            raise UserError(f"The dataset {name!r} has no version yet.")
        print_json(found["splits"]) if as_json else say(_splits(found) or "There are no splits.")
        return
    found = api.get(f"{path}/splits", by=by, version=version)
    if as_json:
        print_json(found)
        return
    names = list(found["shares"])
    rows = [(row["value"], row["total"], *(row["splits"][one] for one in names)) for row in found["items"]]
    table((by, "examples", *names), rows, empty=f"No example has {by}.", cut=(by,))
    if found["lacking"]:
        say(f"{found['lacking']:,} examples have no {by}.")


@dataset.command("sign")
@click.argument("name")
@click.argument("number", type=click.IntRange(1))
@click.option("-m", "--comment", default="", help="What was looked at.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@json_option
@with_api
def sign_dataset(api: Api, name: str, number: int, comment: str, yes: bool, as_json: bool) -> None:
    """Sign version NUMBER of NAME off as a golden set. It can then never be deleted."""
    if not yes:
        click.confirm(f"Sign version {number} of {name} off, for good?", abort=True, err=True)
    signed = api.post(f"/api/datasets/{_path(name)}/versions/{number}/sign", {"comment": comment})
    if as_json:
        print_json(signed)
    else:
        say(f"Version {number} of {name} is a golden set, signed off by {signed['golden_name']}.")


@dataset.command("verify")
@click.argument("name")
@click.argument("version")
@json_option
@with_api
@click.pass_context
def verify_dataset(ctx: click.Context, api: Api, name: str, version: str, as_json: bool) -> None:
    """Compute the digest of VERSION of NAME again, a number or `golden`. Exit code 1: it does not hold."""
    number = _version(api, name, version)["number"]
    found = api.get(f"/api/datasets/{_path(name)}/versions/{number}/verify")
    if as_json:
        print_json(found)
    else:
        erased = f", {found['erased']:,} of them erased at a person's wish" if found["erased"] else ""
        what = f"version {number} of {name}, {found['examples']:,} examples{erased}"
        say(f"{found['digest']} {'holds' if found['holds'] else 'DOES NOT HOLD'}: {what}.")
    ctx.exit(0 if found["holds"] else 1)


@dataset.command("delete")
@click.argument("name")
@click.option("--version", "number", type=click.IntRange(1), help="Only this version.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@json_option
@with_api
def delete_dataset(api: Api, name: str, number: int | None, yes: bool, as_json: bool) -> None:
    """Delete dataset NAME with all its versions. It cannot be taken back; golden sets stay."""
    what = f"version {number} of {name}" if number else f"dataset {name} with all its versions"
    if not yes:
        click.confirm(f"Delete {what}?", abort=True, err=True)
    path = f"/api/datasets/{_path(name)}"
    api.delete(f"{path}/versions/{number}" if number else path)
    if as_json:
        print_json({"deleted": what})
        return
    say(f"Deleted {what}.")


def shares_of(given: tuple[str, ...]) -> dict[str, float]:
    """`NAME=SHARE` arguments. Raises UserError."""
    found: dict[str, float] = {}
    for text in given:
        name, equals, share = text.partition("=")
        try:
            found[name] = float(share)
        except ValueError:
            equals = ""
        if not equals or not name:
            raise UserError(f"A split is given as NAME=SHARE, such as train=0.8, which {text!r} is not.")
    return found


def _path(name: str) -> str:
    return quote(name, safe="")


def _version(api: Api, name: str, version: str) -> Any:
    path = f"/api/datasets/{_path(name)}"
    if version == "golden":
        found = api.get(path)["golden"]
        if found is None:
            raise UserError(f"No version of {name!r} was signed off; `noria dataset sign` does that.")
        return found
    if not version.isdigit():
        raise UserError(f"A version is a number or `golden`, not {version!r}.")
    return api.get(f"{path}/versions/{version}")


def _splits(version: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {count:,}" for name, count in version["splits"].items())


def _facts(found: Mapping[str, Any]) -> None:
    one, version, golden = found["dataset"], found["version"], found["golden"]
    shown = {
        "name": one["name"],
        "id": one["id"],
        "description": one["description"],
        "tags": one["tags"],
        "schema": "declared, and enforced" if one["schema"] else "as the examples show",
        "golden": f"version {golden['number']}, signed off by {golden['golden_name']}" if golden else "none",
    }
    if version:
        lineage = version["lineage"]
        files = ", ".join(file["name"] for file in lineage.get("files", ()))
        shown |= {
            "version": version["number"],
            "examples": f"{version['examples']:,}",
            "erased": f"{version['erased']:,}" if version["erased"] else None,
            "splits": _splits(version),
            "made": f"{at(version['created_ms'])} by {version['by_name']}",
            "comment": version["comment"],
            "of": files or ", ".join(name for name in lineage if name not in ("import", "erased")),
            "digest": version["digest"],
        }
    facts(shown)


def _example(found: Mapping[str, Any]) -> None:
    one = found["example"]
    if one is None:
        say(f"Version {found['version']} does not have it.")
    else:
        facts(
            {
                "id": one["id"],
                **{f"input.{name}": _short(value) for name, value in one["input"].items()},
                "expected": _short(one["expected"]),
                **{f"metadata.{name}": _short(value) for name, value in one["metadata"].items()},
                "tags": one["tags"],
                "group": one["group"],
                "source": one["source"],
                "split": found["split"],
            }
        )
    click.echo()
    rows = [(row["version"], row["kind"], at(row["at_ms"]), row["by_name"]) for row in found["history"]]
    table(("version", "what", "when", "by"), rows, empty="")


def _change(change: Mapping[str, Any]) -> None:
    sign = {"create": "+", "patch": "~", "delete": "-"}[change["kind"]]
    colour = {"create": "green", "patch": "yellow", "delete": "red"}[change["kind"]]
    one = change["after"] or change["before"]
    said = "" if change["fields"] else "  " + shorten(plain(_short(one["input"])), WIDE)
    click.echo(click.style(f"{sign} {change['example']}", fg=colour) + said)
    for field in change["fields"]:
        before, after = (shorten(plain(_short(field[side])), WIDE) for side in ("before", "after"))
        click.echo(f"    {field['path']}: {before or '(none)'} → {after or '(none)'}")


def _short(value: Any) -> str:
    """A value in a cell: of an object with one field that field."""
    import json

    if isinstance(value, dict) and len(value) == 1:
        value = next(iter(value.values()))
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
