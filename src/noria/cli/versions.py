"""`noria plan`, `apply`, `rollback`, `pull`: what runs, what would change, and the way back."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

import click

from noria.cli.api import Api
from noria.cli.options import with_api
from noria.cli.output import json_option, print_json, say
from noria.cli.quantities import at
from noria.cli.table import table
from noria.errors import UserError

LINE = 68
"""Characters of an array on one line."""
_SIGNS = {"added": ("+", "green"), "changed": ("~", "yellow"), "removed": ("-", "red")}


@click.command()
@click.option(
    "--detailed-exitcode", is_flag=True, help="Exit with 1 where there are changes, with 0 where none."
)
@json_option
@with_api
def plan(api: Api, detailed_exitcode: bool, as_json: bool) -> None:
    """Show what apply would change, and what each change does. Changes nothing."""
    planned = api.post("/api/config/plan", {"files": _files()})
    if as_json:
        print_json(planned)
    else:
        _show(planned)
    if planned["changes"] and detailed_exitcode:
        raise click.exceptions.Exit(1)


@click.command()
@click.option("--yes", is_flag=True, help="Do not ask first.")
@click.option("--comment", "-m", default="", help="Why, for the list of versions and the audit log.")
@json_option
@with_api
def apply(api: Api, yes: bool, comment: str, as_json: bool) -> None:
    """Show the plan, ask, and make noria.toml what runs, as a new version.

    Every worker serves it when the command ends; requests in flight end under the version they began with.
    """
    files = _files()
    planned = api.post("/api/config/plan", {"files": files})
    if not as_json:
        _show(planned)
    if planned["changes"] and not yes:
        _agree("Apply these changes?")
    asked = {"files": files, "comment": comment, "digest": planned["digest"], "current": planned["current"]}
    applied = api.post("/api/config/apply", asked)
    _report(applied, as_json=as_json, verb="runs")


@click.command()
@click.argument("version")
@click.option("--comment", "-m", default="", help="Why, for the list of versions and the audit log.")
@json_option
@with_api
def rollback(api: Api, version: str, comment: str, as_json: bool) -> None:
    """Run an earlier VERSION again: its number, the start of its digest, or `previous`.

    It becomes a new version, so that a rollback can be rolled back.
    """
    number = _number(api, version)
    applied = api.post("/api/config/rollback", {"number": number, "comment": comment})
    if not as_json:
        _show_changes(applied["changes"])
    _report(applied, as_json=as_json, verb=f"repeats version {number} and runs")


@click.command()
@click.option("--yes", is_flag=True, help="Do not ask before files are written over.")
@json_option
@with_api
def pull(api: Api, yes: bool, as_json: bool) -> None:
    """Write what runs back to noria.toml and the files that it includes."""
    root = _root()
    state = api.get("/api/config")
    if state["version"] is None:
        raise UserError(
            "No configuration has been applied yet, so there is nothing to pull; run `noria apply`."
        )
    written = _pending(root, state["files"])
    for path in written if not as_json else ():
        click.echo(f"{'changed' if path.exists() else 'new'}  {path}")
    if any(path.exists() for path in written) and not yes:
        _agree("Write over the files that are there?")
    for path, text in written.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    if as_json:
        print_json({"version": state["version"]["number"], "written": [str(path) for path in written]})
    said = f"wrote {len(written)} files" if written else "the files here say the same"
    say(f"Version {state['version']['number']} runs; {said}.")


@click.group()
def version() -> None:
    """Config versions: what ran when, and who applied it."""


@version.command("list")
@click.option("--limit", type=click.IntRange(1, 200), default=20, show_default=True, help="Most versions.")
@json_option
@with_api
def list_versions(api: Api, limit: int, as_json: bool) -> None:
    """List versions, newest first."""
    found = api.get("/api/config/versions", limit=limit)["items"]
    if as_json:
        print_json(found)
        return
    rows = [
        (
            f"{one['number']}{' runs' if one['current'] else ''}",
            one["digest"].removeprefix("sha256:")[:12],
            at(one["created_ms"]),
            one["by_name"],
            _comment(one),
        )
        for one in found
    ]
    columns = ("version", "digest", "applied", "by", "comment")
    table(columns, rows, empty="Nothing has been applied yet; `noria apply` does it.", cut=("comment", "by"))


@version.command("show")
@click.argument("version")
@json_option
@with_api
def show_version(api: Api, version: str, as_json: bool) -> None:
    """Print the files of a VERSION: its number, the start of its digest, or `previous`."""
    found = api.get(f"/api/config/versions/{_number(api, version)}")
    if as_json:
        print_json(found)
        return
    for name, text in found["files"].items():
        if len(found["files"]) > 1:
            say(f"--- {name}")
        click.echo(text, nl=not text.endswith("\n"))


def _comment(one: Mapping[str, Any]) -> str:
    repeats = f"repeats {one['rolled_back_to']}" if one["rolled_back_to"] else ""
    return "; ".join(part for part in (repeats, one["comment"]) if part)


def _root() -> Path:
    """The noria.toml that the command was told of."""
    path: Path = click.get_current_context().params["path"]
    return path / "noria.toml" if path.is_dir() else path


def _files() -> dict[str, str]:
    """noria.toml and all that it includes, as texts by relative path. Raises ConfigError."""
    from noria.config.load import FILE, check
    from noria.config.mistake import refusal

    root = _root()
    found = check(root)
    if found.config is None:
        raise refusal(found.mistakes)
    return {
        FILE if source.path == root else str(PurePosixPath(source.folder) / source.path.name): source.text
        for source in found.sources
    }


def _pending(root: Path, files: Mapping[str, str]) -> dict[Path, str]:
    """What must be written so that the files beside `root` are `files`."""
    found: dict[Path, str] = {}
    for name, text in files.items():
        path = root if name == "noria.toml" else root.parent / PurePosixPath(name)
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            found[path] = text
    return found


def _number(api: Api, version: str) -> int:
    if version.isdecimal() and len(version) < 8:
        return int(version)
    known = list(api.pages("/api/config/versions"))
    if version == "previous":
        if len(known) < 2:
            raise UserError("There is no earlier version to return to.")
        return known[1]["number"]
    wanted = version if version.startswith("sha256:") else f"sha256:{version}"
    matching = {one["digest"]: one["number"] for one in reversed(known) if one["digest"].startswith(wanted)}
    if len(wanted) < len("sha256:") + 6 or not matching:
        raise UserError(
            f"No version has the digest {version!r}; `noria version list` shows them (a digest needs at "
            "least its first six digits)."
        )
    if len(matching) > 1:
        raise UserError(f"Several versions have digests that begin with {version!r}; give more of it.")
    return next(iter(matching.values()))


def _agree(question: str) -> None:
    if not sys.stdin.isatty():
        raise UserError(f"{question} Nobody is there to answer: say --yes.")
    if not click.confirm(question, err=True):
        raise click.Abort


def _show(planned: Mapping[str, Any]) -> None:
    _show_changes(planned["changes"])
    against = f"version {planned['current']}" if planned["current"] else "nothing, as nothing runs yet"
    if not planned["changes"]:
        say(f"No changes: {planned['digest']} is what runs.")
        return
    counts = {kind: sum(one["kind"] == kind for one in planned["changes"]) for kind in _SIGNS}
    told = ", ".join(f"{number} {kind}" for kind, number in counts.items() if number)
    weaker = sum(bool(one["weakens"]) for one in planned["changes"])
    say(f"{told}, compared with {against}." + (f" {weaker} make Noria less safe." if weaker else ""))


def _show_changes(changes: list[Any]) -> None:
    for change in changes:
        sign, colour = _SIGNS[change["kind"]]
        click.echo(click.style(f"{sign} {_dotted(change['path'])}", fg=colour, bold=True))
        for value, mark, paint in ((change["before"], "-", "red"), (change["after"], "+", "green")):
            if value is not None:
                for line in _toml(value):
                    click.echo(click.style(f"    {mark} {line}", fg=paint))
        click.echo(click.style(f"    {change['effect']}", dim=True))
        if change["weakens"]:
            click.echo(click.style(f"    ! {change['weakens']}", fg="red", bold=True))


def _dotted(path: list[str]) -> str:
    bare = [part if part.replace("-", "").replace("_", "").isalnum() else f'"{part}"' for part in path]
    return ".".join(bare)


def _toml(value: Any) -> list[str]:
    """The lines of a value as TOML has it: a table with one key a line, a long array with one item a line."""
    if isinstance(value, dict):
        lines: list[str] = []
        for name, inner in value.items():
            first, *rest = _toml(inner) if isinstance(inner, list) else [_inline(inner)]
            lines += [f"{_dotted([str(name)])} = {first}", *rest]
        return lines
    whole = _inline(value)
    if isinstance(value, list) and len(whole) > LINE:
        return ["[", *(f"  {_inline(one)}," for one in value), "]"]
    return [whole]


def _inline(value: Any) -> str:
    if isinstance(value, dict):
        if list(value) == ["model"]:  # A target of which nothing else is said, as people write it.
            return _inline(value["model"])
        pairs = ", ".join(f"{_dotted([str(name)])} = {_inline(inner)}" for name, inner in value.items())
        return f"{{ {pairs} }}"
    if isinstance(value, list):
        return f"[{', '.join(_inline(one) for one in value)}]"
    return json.dumps(value, ensure_ascii=False)


def _report(applied: Mapping[str, Any], *, as_json: bool, verb: str) -> None:
    if as_json:
        print_json(applied)
    version, served = applied["version"], applied["served"]
    say(f"Version {version['number']} {verb}: {version['digest']}.")
    if not served["everywhere"]:
        late = ", ".join(f"worker-{number}" for number in served["waiting_for"])
        say(f"Not yet served by {late}; its log in the state folder says why.")
