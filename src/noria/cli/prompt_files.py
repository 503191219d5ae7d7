"""`noria prompt push`, `pull` and `lint`: the files of prompts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click
import msgspec

from noria.cli.api import Api
from noria.cli.key import late
from noria.cli.options import with_api
from noria.cli.output import json_option, print_json, say
from noria.cli.quantities import money
from noria.cli.table import table
from noria.errors import UserError
from noria.prompts.file import PromptFile, read
from noria.prompts.version import PromptContent

folder_option = click.option(
    "--folder",
    type=click.Path(path_type=Path, file_okay=False),
    help="Of the files; else as noria.toml says, `prompts` beside it.",
)


def folder_of(given: Path | None) -> Path:
    """Where prompts' files are: as given, else as the noria.toml that the command is about says."""
    if given is not None:
        return given
    from noria.config.load import load

    path: Path = click.get_current_context().params["path"]
    return path.parent / (load(path).prompts.folder if path.exists() else "prompts")


@click.command("push")
@click.argument("names", nargs=-1)
@folder_option
@click.option("--branch", default="main", show_default=True, help="The branch that the versions are put on.")
@click.option("--comment", "-m", default="", help="What is new.")
@click.option("--label", help="Move this label to each new version, as `noria prompt label` does.")
@json_option
@with_api
def push(
    api: Api,
    names: tuple[str, ...],
    folder: Path | None,
    branch: str,
    comment: str,
    label: str | None,
    as_json: bool,
) -> None:
    """Make versions of the files prompts/NAME.md, of all of them where no NAME is given.

    A file that says what the newest version says makes none.
    """
    from noria.prompts.order import in_order

    files = _read(folder_of(folder), names)
    made: list[Any] = []
    for name in in_order({name: file.content for name, file in files.items()}):
        file = files[name]
        body = {"content": _content(file.content), "branch": branch, "comment": comment}
        done = api.post(f"/api/prompts/{name}/versions", body)
        said = {"description": file.description, "tags": list(file.tags), "owners": list(file.owners)}
        api.put(f"/api/prompts/{name}", said)
        made.append(done)
        version = done["version"]
        if not as_json:
            what = "is new" if done["created"] else "is unchanged"
            click.echo(f"{name}@{version['number']} {what}")
        if label:
            to = {"to": str(version["number"]), "reason": comment}
            late(api.put(f"/api/prompts/{name}/labels/{label}", to)["served"])
    if as_json:
        print_json(made)


@click.command("pull")
@click.argument("names", nargs=-1)
@folder_option
@click.option("--at", default="latest", show_default=True, help="A label, a branch, a number, or latest.")
@click.option("--force", is_flag=True, help="Write over files that say something else.")
@json_option
@with_api
def pull(api: Api, names: tuple[str, ...], folder: Path | None, at: str, force: bool, as_json: bool) -> None:
    """Write versions to prompts/NAME.md, of all prompts where no NAME is given."""
    where = folder_of(folder)
    wanted = names or tuple(one["name"] for one in api.pages("/api/prompts") if one["latest"])
    texts = {name: api.text(f"/api/prompts/{name}/versions/{at}/file") for name in wanted}
    changed = {name: text for name, text in texts.items() if _text(where / f"{name}.md") != text}
    others = [name for name in changed if (where / f"{name}.md").exists()]
    if others and not force:
        raise UserError(
            f"{', '.join(str(where / f'{name}.md') for name in others)} would be written over; push what "
            "they say first, or give --force."
        )
    where.mkdir(parents=True, exist_ok=True)
    for name, text in changed.items():
        (where / f"{name}.md").write_text(text, encoding="utf-8")
    if as_json:
        print_json({"written": [str(where / f"{name}.md") for name in changed]})
    else:
        say(f"{len(changed)} of {len(texts)} files were written to {where}.")


@click.command("lint")
@click.argument("names", nargs=-1)
@folder_option
@click.option(
    "--at", help="Look at this version instead of at the file: a label, a number, a branch, latest."
)
@click.option("--model", "models", multiple=True, help="A model to count and price for; repeatable.")
@click.option("--strict", is_flag=True, help="Warnings count as errors.")
@json_option
@with_api
def lint(
    api: Api, names: tuple[str, ...], folder: Path | None, at: str | None, models: tuple[str, ...],
    strict: bool, as_json: bool,
) -> None:  # fmt: skip
    """Say what is doubtful about prompts/NAME.md, about all files where no NAME is given.

    Exit code 1 where there is an error. Variables, text that can pose as an instruction, personal data,
    length and cost by model, and the policy in noria.toml are looked at.
    """
    found = {
        name: api.post(f"/api/prompts/{name}/lint", body)
        for name, body in _to_lint(api, names, folder, at, models).items()
    }
    bad = {"error", "warning"} if strict else {"error"}
    failed = any(one["severity"] in bad for result in found.values() for one in result["findings"])
    if as_json:
        print_json(found)
    else:
        _print_lint(found)
    if failed:
        raise click.exceptions.Exit(1)


def _to_lint(
    api: Api, names: Sequence[str], folder: Path | None, at: str | None, models: Sequence[str]
) -> dict[str, dict[str, Any]]:
    if at is not None:
        wanted = names or [one["name"] for one in api.pages("/api/prompts") if one["latest"]]
        return {name: {"at": at, "models": list(models)} for name in wanted}
    return {
        name: {"content": _content(file.content), "tags": list(file.tags), "models": list(models)}
        for name, file in _read(folder_of(folder), names).items()
    }


def _print_lint(found: Mapping[str, Any]) -> None:
    colours = {"error": "red", "warning": "yellow", "note": "cyan"}
    for name, result in found.items():
        for one in result["findings"]:
            place = f"{name}: {one['where']}" if one["where"] else name
            severity = click.style(one["severity"], fg=colours[one["severity"]])
            click.echo(f"{place}: {severity}: {one['message']} [{one['code']}]")
    rows = [
        (
            name,
            one["model"],
            one["tokens"],
            one["context"],
            money(one["input_cost"]) if one["input_cost"] is not None else "unknown",
        )
        for name, result in found.items()
        for one in result["models"]
    ]
    if rows:
        table(("prompt", "model", "tokens", "context", "1,000 calls"), rows, empty="", right=("1,000 calls",))
    counts = [one["severity"] for result in found.values() for one in result["findings"]]
    say(
        f"{len(found)} prompts: {counts.count('error')} errors, {counts.count('warning')} warnings. Tokens "
        "are estimated, and do not hold what variables bring."
    )


def _read(folder: Path, names: Sequence[str]) -> dict[str, PromptFile]:
    """Raises UserError where a name has no file, or the folder none at all."""
    paths = [folder / f"{name}.md" for name in names] or sorted(folder.glob("*.md"))
    if not paths:
        raise UserError(f"There are no prompts in {folder}; write one as NAME.md.")
    found: dict[str, PromptFile] = {}
    for path in paths:
        text = _text(path)
        if text is None:
            raise UserError(f"{path} does not exist.")
        found[path.stem] = read(text, where=str(path))
    return found


def _text(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    except UnicodeDecodeError:
        raise UserError(f"{path} is not UTF-8 text.") from None


def _content(content: PromptContent) -> Any:
    return {"messages": [], **msgspec.to_builtins(content)}
