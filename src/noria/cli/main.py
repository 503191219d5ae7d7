"""`noria NOUN VERB`: data on stdout (`--json` everywhere), words on stderr.

Exit codes: 0 done; 1 the answer is no (a check or gate that does not hold, a plan with changes under
`--detailed-exitcode`); 2 something that you can change, said in one sentence; 3 Noria's own mistake, with a
traceback; 130 interrupted.
"""

from __future__ import annotations

import sys
import traceback
from importlib import import_module

import click

from noria import __version__
from noria.errors import NoriaError

COMMANDS = {
    "up": ("noria.cli.up:up", "Start Noria: gateway, collector, control and local models."),
    "init": ("noria.cli.config:init", "Write a commented noria.toml that works."),
    "check": ("noria.cli.config:check", "Validate noria.toml."),
    "plan": ("noria.cli.versions:plan", "Show what apply would change."),
    "apply": ("noria.cli.versions:apply", "Make noria.toml what runs, as a new version."),
    "rollback": ("noria.cli.versions:rollback", "Return to an earlier version."),
    "pull": ("noria.cli.versions:pull", "Write what runs back to noria.toml."),
    "version": ("noria.cli.versions:version", "Config versions: what ran when."),
    "import": ("noria.cli.config:import_group", "Convert another project's configuration."),
    "schema": ("noria.cli.config:schema", "Print the JSON Schema of noria.toml."),
    "chat": ("noria.cli.chat:chat", "Talk to a route in the terminal."),
    "model": ("noria.cli.model:model", "Weights and cards of models."),
    "route": ("noria.cli.route:route", "Routes that can be called."),
    "prompt": ("noria.cli.prompt:prompt", "Prompts: files, versions, labels."),
    "key": ("noria.cli.key:key", "Virtual keys."),
    "budget": ("noria.cli.budget:budget", "Budgets and what is left of them."),
    "dataset": ("noria.cli.dataset:dataset", "Examples with their versions."),
    "eval": ("noria.cli.evaluation:eval_group", "Evaluate models and prompts, and compare."),
    "explore": ("noria.cli.explore:explore", "Find out whether a task is feasible, and with what."),
    "study": ("noria.cli.study:study", "Search for the best parameters."),
    "scorer": ("noria.cli.scorer:scorer", "What judges an answer."),
    "judge": ("noria.cli.judge:judge", "Judges and how far to trust them."),
    "gate": ("noria.cli.gate:gate", "What a release must meet."),
    "optimize": ("noria.cli.optimize:optimize", "Search for better versions of prompts."),
    "trace": ("noria.cli.trace:trace", "Recorded traces."),
    "review": ("noria.cli.review:review", "Queues of work for people."),
    "monitor": ("noria.cli.monitor:monitor", "Live calls that are scored and watched."),
    "alert": ("noria.cli.monitor:alert", "Alerts, and who is told of them."),
    "feedback": ("noria.cli.feedback:feedback", "What people and programs said of answers."),
    "cost": ("noria.cli.cost:cost", "What calls have cost."),
    "audit": ("noria.cli.audit:audit", "Who changed what."),
    "approval": ("noria.cli.approval:approval", "Ask for and decide approvals."),
    "account": ("noria.cli.account:account", "People who may sign in."),
    "secret": ("noria.cli.secret:secret", "Encrypt secrets for noria.toml."),
    "job": ("noria.cli.job:job", "Long work and its progress."),
    "backup": ("noria.cli.backup:backup", "Copy everything while it runs."),
    "restore": ("noria.cli.backup:restore", "Bring a backup back."),
    "doctor": ("noria.cli.doctor:doctor", "Find and explain what is wrong."),
}
"""Where each command lives, and its line in the help; a command is imported when it is used."""


class LazyGroup(click.Group):
    """A group that imports a command only when it runs."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        found = COMMANDS.get(cmd_name)
        if found is None:
            return None
        module, _, name = found[0].partition(":")
        return getattr(import_module(module), name)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, words) for name, (_, words) in COMMANDS.items()])


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, message="%(version)s")
def noria() -> None:
    """Noria: a self-hosted LLMOps platform. `noria up` starts it."""


def main() -> None:
    """The console script. A user's mistake is one sentence; Noria's own comes with a traceback."""
    try:
        status = noria(standalone_mode=False)  # What `ctx.exit` was given; None where a command just ends.
        sys.exit(status if isinstance(status, int) else 0)
    except click.ClickException as error:
        error.show()
        sys.exit(2)
    except (click.Abort, KeyboardInterrupt):
        sys.exit(130)
    except BrokenPipeError:
        sys.exit(0)
    except NoriaError as error:
        print(f"noria: {error}", file=sys.stderr)
        sys.exit(2)
    except Exception:
        traceback.print_exc()
        print("noria: that is a mistake of Noria's; please report it with the lines above.", file=sys.stderr)
        sys.exit(3)
