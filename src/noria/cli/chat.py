"""`noria chat`: a conversation with a route in the terminal, streamed through the gateway."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from noria.cli.options import config_option, pairs, project_option
from noria.cli.output import json_option, print_json, say
from noria.cli.quantities import duration, money
from noria.cli.table import plain
from noria.cli.trace import SHOWN
from noria.errors import UserError

if TYPE_CHECKING:
    from noria.cli.conversation import Answer, Conversation

_HELP = (
    "/new forgets the conversation, /model NAME takes another route, /exit or Ctrl-D ends; Ctrl-C stops an "
    "answer."
)


@click.command()
@click.argument("text", nargs=-1)
@click.option(
    "--model", "-m", help="Route or model; without it `default`, else the only route that there is."
)
@click.option("--system", "-s", help="System prompt.")
@click.option("--temperature", "-t", type=click.FloatRange(0, 2), help="How freely words are chosen.")
@click.option("--max-tokens", type=click.IntRange(1), help="Most tokens of one answer.")
@click.option("--tag", "tags", multiple=True, metavar="NAME=VALUE", help="Put on every call; repeatable.")
@click.option("--url", envvar="NORIA_URL", help="A gateway elsewhere; needs a key.")
@click.option("--key", envvar="NORIA_API_KEY", help="A virtual key; without it this machine's owner calls.")
@json_option
@config_option
@project_option
def chat(
    text: tuple[str, ...], model: str | None, system: str | None, temperature: float | None,
    max_tokens: int | None, tags: tuple[str, ...], url: str | None, key: str | None, as_json: bool,
    path: Path, project: str,
) -> None:  # fmt: skip
    """Talk to a route: TEXT gives one answer, without it begins a conversation.

    A lone `-` in TEXT stands for what comes on stdin, and so does no TEXT where stdin is no terminal. The
    answer is on stdout; tokens, cost and the time to the first token are on stderr.
    """
    from noria.cli.conversation import Conversation
    from noria.cli.where import gateway

    asked = {"temperature": temperature, "max_tokens": max_tokens}
    conversation = Conversation(
        gateway(path, url=url, key=key, project=project),
        path=path,
        project=project,
        system=system,
        options={name: value for name, value in asked.items() if value is not None},
        tags=pairs(tags, what="A tag"),
    )
    with conversation:
        conversation.model = conversation.route(model)
        question = _question(text)
        if question is not None:
            _once(conversation, question, as_json=as_json)
        elif as_json:
            raise UserError("--json needs a question: give it as TEXT or on stdin.")
        else:
            _talk(conversation)


def _question(text: tuple[str, ...]) -> str | None:
    """None: a person is at the terminal and has said nothing yet."""
    if not text:
        return None if sys.stdin.isatty() else sys.stdin.read()
    return " ".join(sys.stdin.read() if part == "-" else part for part in text)


def _once(conversation: Conversation, question: str, *, as_json: bool) -> None:
    if not question.strip():
        raise UserError("The question is empty; give it as TEXT or on stdin.")
    answer = conversation.ask(question, show=None if as_json else _write)
    if as_json:
        print_json(answer.as_json())
    else:
        click.echo()
    _tell(answer)
    if answer.stopped:
        raise click.Abort


def _talk(conversation: Conversation) -> None:
    _edit_lines()
    say(f"{conversation.model} at {conversation.gateway.url}. {_HELP}")
    while True:
        try:
            line = input("> ").strip()
        except EOFError:
            click.echo()
            return
        except KeyboardInterrupt:
            click.echo()
            continue
        command, _, rest = line.partition(" ")
        if command in ("/exit", "/quit"):
            return
        if command == "/new":
            conversation.forget()
            say("A new conversation.")
        elif command == "/model" and rest:
            _change_model(conversation, rest.strip())
        elif line.startswith("/"):
            say(_HELP)
        elif line:
            _turn(conversation, line)


def _turn(conversation: Conversation, line: str) -> None:
    try:
        answer = conversation.ask(line, show=_write)
    except UserError as error:
        click.echo()
        say(str(error))
        return
    click.echo()
    _tell(answer)


def _change_model(conversation: Conversation, name: str) -> None:
    try:
        conversation.model = conversation.route(name)
    except UserError as error:
        say(str(error))
    else:
        say(f"{name} answers from here on.")


def _write(kind: str, text: str) -> None:
    """A piece of an answer as it comes; thoughts are dim, and words about the answer rather than it."""
    if kind == "text":
        sys.stdout.write(text if not sys.stdout.isatty() else _safe(text))
        sys.stdout.flush()
    elif sys.stderr.isatty():
        click.echo(click.style(_safe(text), dim=True), nl=False, err=True)


def _safe(text: str) -> str:
    """Line ends stay; what could steer the terminal does not."""
    return "\n".join(
        plain(line) if not line.isprintable() else line for line in text.replace("\t", "    ").split("\n")
    )


def _tell(answer: Answer) -> None:
    parts = [
        "stopped" if answer.stopped else "",
        _tokens(answer.usage),
        "cost unknown" if answer.cost is None else money(answer.cost),
        f"first token {duration(answer.first_ms)}" if answer.first_ms is not None else "",
        f"{duration(answer.ms)} in all",
        f"{answer.rate:.0f} tokens/s" if answer.rate is not None else "",
        answer.target,
        "from the cache" if answer.cache == "hit" else "",
        f"stopped at {answer.finish}" if answer.finish not in ("stop", "", "tool_calls") else "",
        f"trace {answer.trace[-SHOWN:]}" if answer.trace else "",
    ]
    click.echo(click.style(" · ".join(part for part in parts if part), dim=True), err=True)


def _tokens(usage: Mapping[str, Any]) -> str:
    if not usage:
        return ""
    return f"{usage.get('prompt_tokens', 0):,} tokens in, {usage.get('completion_tokens', 0):,} out"


def _edit_lines() -> None:
    """Line editing and history within the session, where Python was built with it."""
    try:
        import readline
    except ImportError:
        return
    readline.set_auto_history(True)
