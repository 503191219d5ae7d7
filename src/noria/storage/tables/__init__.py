"""The tables of noria.db, on SQLite and PostgreSQL alike."""

from noria.storage.tables.accounts import accounts, links, sessions
from noria.storage.tables.approvals import approvals
from noria.storage.tables.audit import audit_events
from noria.storage.tables.feedback import feedback
from noria.storage.tables.jobs import jobs
from noria.storage.tables.keys import budgets, keys
from noria.storage.tables.metadata import METADATA
from noria.storage.tables.versions import config_versions

__all__ = [
    "METADATA",
    "accounts",
    "approvals",
    "audit_events",
    "budgets",
    "config_versions",
    "feedback",
    "jobs",
    "keys",
    "links",
    "sessions",
]
