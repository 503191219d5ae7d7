"""Alembic, as `storage.database` drives it; imported only where a schema has to change."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection


def known(migrations: Path) -> list[str]:
    """Every revision of the folder, newest first."""
    return [script.revision for script in ScriptDirectory(str(migrations)).walk_revisions()]


def upgrade(connection: Connection, migrations: Path, target: str) -> None:
    """Run what is missing, within the caller's transaction."""
    command.upgrade(_config(connection, migrations), target)


def draft(connection: Connection, migrations: Path, message: str, number: str) -> None:
    """Write a new revision file with what the tables have and the database lacks."""
    command.revision(_config(connection, migrations), message, autogenerate=True, rev_id=number)


def _config(connection: Connection, migrations: Path) -> Config:
    config = Config()
    config.set_main_option("script_location", str(migrations).replace("%", "%%"))
    config.set_main_option("file_template", "%%(rev)s_%%(slug)s")
    config.attributes["connection"] = connection
    return config
