"""`noria eval` with all its commands."""

from __future__ import annotations

from noria.cli.eval import eval_group
from noria.cli.suite import suite
from noria.cli.watch import watch

__all__ = ["eval_group"]

eval_group.add_command(suite)
eval_group.add_command(watch)
