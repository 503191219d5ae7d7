"""`noria secret`: secrets that may stand in noria.toml."""

from __future__ import annotations

import os
import sys

import click

from noria.cli.output import json_option, print_json
from noria.errors import UserError
from noria.providers.secrets import KEY_VARIABLE, read_vault


@click.group()
def secret() -> None:
    """Secrets encrypted under this installation's key."""


@secret.command()
@json_option
def seal(as_json: bool) -> None:
    """Read a secret (typed unseen, or piped in) and print an `enc:` reference that noria.toml may hold.

    The key is the one of NORIA_ENCRYPTION_KEY or NORIA_ENCRYPTION_KEY_FILE, which `noria up` needs too.
    """
    vault = read_vault(os.environ)
    if vault is None:
        raise UserError(f"There is no key to encrypt with; set {KEY_VARIABLE} (`openssl rand -base64 32`).")
    typed = click.prompt("Secret", hide_input=True, err=True) if sys.stdin.isatty() else sys.stdin.read()
    text = typed.strip()
    if not text:
        raise UserError("The secret is empty; type it, or pipe it in.")
    reference = vault.seal(text)
    if as_json:
        print_json({"reference": reference})
    else:
        click.echo(reference)
