"""The command line's reference as Markdown, made from the commands themselves."""

from __future__ import annotations

from collections.abc import Iterator

import click

from noria.cli.main import COMMANDS, noria

_HEAD = """# Command line

`noria NOUN VERB`. Data is on stdout, words are on stderr; `--json` gives JSON instead of a table.

| exit code | meaning |
|---|---|
| 0 | done |
| 1 | the answer is no: a check or gate that does not hold, changes under `--detailed-exitcode`, a finding |
| 2 | something that you can change, said in one sentence |
| 3 | Noria's own mistake, with a traceback |
| 130 | interrupted |

| variable | meaning |
|---|---|
| `NORIA_CONFIG` | the noria.toml that is meant, as `--config` |
| `NORIA_PROJECT` | the project, as `--project` |
| `NORIA_HOME` | the state folder, instead of `.noria` beside noria.toml |
| `NORIA_CACHE` | where weights are kept, instead of `~/.cache/noria` |
| `NORIA_URL`, `NORIA_API_KEY` | the gateway and key of `noria chat` |
| `NORIA_LOG` | how much processes log: DEBUG, INFO, WARNING |
"""


def render() -> str:
    """Every command with its arguments and options, in the order of `noria --help`."""
    return "\n".join([_HEAD, *(part for name, command in commands() for part in _section(name, command))])


def commands() -> Iterator[tuple[str, click.Command]]:
    """("noria key create", command) of all that can be called, groups before their verbs."""
    context = click.Context(noria, info_name="noria")
    for name in COMMANDS:
        command = noria.get_command(context, name)
        assert command is not None, f"{name} is in the table"
        yield f"noria {name}", command
        if isinstance(command, click.Group):
            for verb, inner in command.commands.items():
                yield f"noria {name} {verb}", inner


def _section(name: str, command: click.Command) -> Iterator[str]:
    is_group = isinstance(command, click.Group)
    depth = "##" if name.count(" ") == 1 else "###"
    yield f"{depth} {name}\n"
    yield f"{_words(command.help or '')}\n"
    if is_group:
        return
    context = click.Context(command, info_name=name)
    usage = " ".join([name, *command.collect_usage_pieces(context)])
    yield f"```text\n{usage}\n```\n"
    options = [
        record
        for parameter in command.params
        if isinstance(parameter, click.Option) and (record := parameter.get_help_record(context))
    ]
    # click makes this one when a command is first used, by where it was called from.
    options.append(("-h, --help", "Show this message and exit."))
    yield "| option | |\n|---|---|"
    for given, words in options:
        yield f"| `{_cell(given)}` | {_cell(words)} |"
    yield ""


def _words(text: str) -> str:
    """A docstring's paragraphs, each on one line."""
    paragraphs = text.strip().split("\n\n")
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs)


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
