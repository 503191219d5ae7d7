"""`noria prompt`: versions of prompts, their labels, and what they render to."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from typing import Any

import click

from noria.cli.api import Api
from noria.cli.key import late
from noria.cli.options import with_api
from noria.cli.output import json_option, print_json, say
from noria.cli.prompt_files import lint, pull, push
from noria.cli.quantities import ago, at
from noria.cli.table import facts, plain, table
from noria.errors import UserError

LOOK = 0.5
"""Seconds between two looks at a job that is waited for."""


@click.group()
def prompt() -> None:
    """Prompts: files, versions, labels."""


prompt.add_command(push)
prompt.add_command(pull)
prompt.add_command(lint)


@prompt.command("list")
@click.option("--search", default="", help="Words of the name or the description.")
@click.option("--tag", default="", help="Only those with this tag.")
@click.option("--owner", default="", help="Only those of this owner.")
@json_option
@with_api
def list_prompts(api: Api, search: str, tag: str, owner: str, as_json: bool) -> None:
    """List prompts by name, with where their labels stand."""
    found = list(api.pages("/api/prompts", search=search, tag=tag, owner=owner))
    if as_json:
        print_json(found)
        return
    rows = [
        (
            one["name"],
            one["latest"],
            ", ".join(f"{label['name']} {label['number']}" for label in one["labels"]) or "-",
            ", ".join(one["tags"]) or "-",
            ", ".join(one["owners"]) or "-",
            ago(one["updated_ms"]),
            one["description"],
        )
        for one in found
    ]
    columns = ("name", "versions", "labels", "tags", "owners", "changed", "description")
    table(
        columns,
        rows,
        empty="There are no prompts; write prompts/NAME.md and run `noria prompt push`.",
        cut=("description", "labels"),
        drop=("owners", "changed", "description"),
    )


@prompt.command("show")
@click.argument("prompt")
@click.option("--versions", is_flag=True, help="List its versions instead, newest first.")
@json_option
@with_api
def show_prompt(api: Api, prompt: str, versions: bool, as_json: bool) -> None:
    """Show a PROMPT, given as name, name@label or name@number. Its text is on stdout."""
    name, where = _split(prompt)
    if versions:
        _list_versions(list(api.pages(f"/api/prompts/{name}/versions")), as_json=as_json)
        return
    found = api.get(f"/api/prompts/{name}/versions/{where}")
    if as_json:
        print_json(found)
        return
    labels = api.get(f"/api/prompts/{name}/labels")["items"]
    facts(
        {
            "prompt": name,
            "version": f"{found['number']} of {at(found['created_ms'])} by {found['by_name']}",
            "branch": found["branch"],
            "labels": [f"{one['name']} {one['number']}" for one in labels],
            "digest": found["digest"],
            "comment": found["comment"],
            "tokens": f"{found['tokens']:,} ({found['method']})",
        }
    )
    click.echo()
    click.echo(api.text(f"/api/prompts/{name}/versions/{where}/file"), nl=False)


def _list_versions(found: list[Any], *, as_json: bool) -> None:
    if as_json:
        print_json(found)
        return
    rows = [
        (one["number"], one["branch"], ago(one["created_ms"]), one["by_name"], one["tokens"], one["comment"])
        for one in found
    ]
    columns = ("version", "branch", "made", "by", "tokens", "comment")
    table(columns, rows, empty="It has no version yet.", cut=("comment",), drop=("by",))


@prompt.command("diff")
@click.argument("name")
@click.argument("before")
@click.argument("after", default="latest")
@json_option
@with_api
def diff_prompt(api: Api, name: str, before: str, after: str, as_json: bool) -> None:
    """Show what differs between two versions of NAME: BEFORE and AFTER are numbers, labels or branches.

    Exit code 1 where they differ.
    """
    found = api.get(f"/api/prompts/{name}/diff", before=before, after=after)
    if as_json:
        print_json(found)
    else:
        _print_diff(name, found)
    if not found["same"]:
        raise click.exceptions.Exit(1)


def _print_diff(name: str, found: Mapping[str, Any]) -> None:
    tokens = found["tokens_after"] - found["tokens_before"]
    say(
        f"{name}@{found['before']} → {name}@{found['after']}: {tokens:+,} tokens, {found['tokens_after']:,} "
        f"now ({found['method']})."
    )
    for one in found["messages"]:
        if one["change"] == "same":
            continue
        role = one["role_after"] or one["role_before"]
        if one["role_before"] and one["role_after"] and one["role_before"] != role:
            role = f"{one['role_before']} → {role}"
        click.echo(click.style(f"message {one['number']} ({role}) {one['change']}", bold=True))
        for line in one["lines"]:
            colour = {"+": "green", "-": "red", "@": "cyan"}.get(line[:1])
            click.echo(click.style(plain(line), fg=colour))
    for one in found["fields"]:
        click.echo(click.style(one["path"], bold=True))
        click.echo(click.style(f"-{json.dumps(one['before'], ensure_ascii=False)}", fg="red"))
        click.echo(click.style(f"+{json.dumps(one['after'], ensure_ascii=False)}", fg="green"))


@prompt.command("label")
@click.argument("name")
@click.argument("label")
@click.argument("version", required=False)
@click.option("--reason", "-m", default="", help="Why; it is on the record.")
@click.option("--remove", is_flag=True, help="Take the label away.")
@click.option("--history", is_flag=True, help="Show all its moves instead, oldest first.")
@json_option
@with_api
def label_prompt(
    api: Api,
    name: str,
    label: str,
    version: str | None,
    reason: str,
    remove: bool,
    history: bool,
    as_json: bool,
) -> None:
    """Move LABEL of the prompt NAME to VERSION: a number, another label, a branch, or latest.

    The gateway serves it when the command ends. A protected label waits for its gates.
    """
    path = f"/api/prompts/{name}/labels/{label}"
    if history:
        _print_history(api.get(f"{path}/history")["items"], as_json=as_json)
        return
    if remove == (version is not None):
        raise UserError("Give the VERSION that the label is to stand for, or --remove.")
    if not remove:
        _prepare(api, f"/api/prompts/{name}/versions/{version}/prepare")
    body = {"to": version, "reason": reason}
    moved = api.delete(path, reason=reason) if remove else api.put(path, body)
    _print_move(name, moved, as_json=as_json)


def _prepare(api: Api, path: str) -> None:
    """Wait until the version can be served. Raises UserError where that fails."""
    found = api.post(path)
    told = ""
    while not found["ready"]:
        job = api.get(f"/api/jobs/{found['job']['id']}")
        if job["state"] in ("failed", "cancelled"):
            raise UserError(f"The version cannot be served: job {job['id']} {job['state']}: {job['message']}")
        words = f"{job['message'] or job['state']}: {job['done'] or 0:,} of {job['total'] or '?'}"
        if words != told:
            say(words)
            told = words
        time.sleep(LOOK)
        found = api.post(path) if job["state"] == "done" else found


@prompt.command("rollback")
@click.argument("name")
@click.option("--label", "-l", default="production", show_default=True, help="The label that goes back.")
@click.option("--to", type=click.IntRange(1), help="A version that it once stood for; else the one before.")
@click.option("--reason", "-m", default="", help="Why; it is on the record.")
@json_option
@with_api
def rollback_prompt(api: Api, name: str, label: str, to: int | None, reason: str, as_json: bool) -> None:
    """Give LABEL of the prompt NAME back to the version before. No gate is waited for."""
    moved = api.post(f"/api/prompts/{name}/labels/{label}/rollback", {"to": to or 0, "reason": reason})
    _print_move(name, moved, as_json=as_json)


@prompt.command("render")
@click.argument("prompt")
@click.option("--var", "-v", "given", multiple=True, metavar="NAME=VALUE", help="A variable; repeatable.")
@click.option("--vars", "file", type=click.File("r"), help="A JSON object of variables; - is stdin.")
@json_option
@with_api
def render_prompt(api: Api, prompt: str, given: tuple[str, ...], file: Any, as_json: bool) -> None:
    """Show the messages of a PROMPT (name, name@label, name@number) as a model would be given them."""
    name, where = _split(prompt)
    body = {"at": where, "variables": variables(given, file)}
    found = api.post(f"/api/prompts/{name}/render", body)
    if as_json:
        print_json(found)
        return
    for one in found["messages"]:
        click.echo(click.style(f"@{one['role']}", dim=True))
        click.echo(one["text"] + "\n")
    say(f"About {found['tokens']:,} tokens ({found['method']}).")
    if not found["chosen"]:
        say("Its examples are chosen for each call, and are not shown here.")


@prompt.command("run")
@click.argument("prompt")
@click.option("--var", "-v", "given", multiple=True, metavar="NAME=VALUE", help="A variable; repeatable.")
@click.option("--vars", "file", type=click.File("r"), help="A JSON object of variables; - is stdin.")
@click.option("--model", "-m", default="", help="Another route or model than the prompt names.")
@json_option
@with_api
def run_prompt(api: Api, prompt: str, given: tuple[str, ...], file: Any, model: str, as_json: bool) -> None:
    """Ask a model with a PROMPT (name, name@label, name@number), by as many calls as its technique takes.

    The answer is on stdout, without the reasoning before it; tokens and cost are on stderr.
    """
    from noria.cli.prompt_run import run

    name, where = _split(prompt)
    body = api.text(f"/api/prompts/{name}/versions/{where}/compiled")
    label = "" if where.isdigit() or where == "latest" else where
    said = run(body.encode(), label, variables(given, file), model=model)
    if as_json:
        print_json(said.as_json())
    else:
        click.echo(said.answer)
    say(said.told())


def variables(given: tuple[str, ...], file: Any) -> dict[str, Any]:
    """From `NAME=VALUE` (a value that is JSON is taken as that, any other as a text) and a file."""
    found: dict[str, Any] = {}
    if file is not None:
        try:
            found = json.load(file)
        except ValueError as error:
            raise UserError(f"{file.name} is not JSON: {error}.") from None
        if not isinstance(found, dict):
            raise UserError(f"{file.name} must hold a JSON object: the variables by name.")
    for text in given:
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise UserError(f"A variable is given as NAME=VALUE, which {text!r} is not.")
        try:
            found[name] = json.loads(value)
        except ValueError:
            found[name] = value
    return found


def _split(prompt: str) -> tuple[str, str]:
    name, _, where = prompt.partition("@")
    return name, where or "latest"


def _print_move(name: str, moved: Mapping[str, Any], *, as_json: bool) -> None:
    move = moved["move"]
    if as_json:
        print_json(moved)
    elif move["number"]:
        say(f"{name}@{move['label']} stands for version {move['number']}.")
    else:
        say(f"{name} has no label {move['label']} any more.")
    late(moved["served"])


def _print_history(moves: list[Any], *, as_json: bool) -> None:
    if as_json:
        print_json(moves)
        return
    rows = [
        (
            at(one["moved_ms"]),
            one["kind"],
            one["number"] or "-",
            one["by_name"],
            one["approval"] or "-",
            one["reason"],
        )
        for one in moves
    ]
    columns = ("when", "what", "version", "by", "approval", "why")
    table(columns, rows, empty="It has never moved.", cut=("why",), drop=("approval",))
