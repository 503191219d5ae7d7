"""noria.db: one schema on both engines, migrated whole or not at all."""

from __future__ import annotations

from pathlib import Path
from shutil import copytree

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from msgspec.structs import replace
from sqlalchemy import inspect, text
from sqlalchemy.exc import DBAPIError

from noria.access.account import Account, new_link, token_hash
from noria.access.approval import Approval
from noria.access.audit import Act
from noria.access.key import Budget, Key, RateLimit
from noria.access.keyring import KeyRecord
from noria.access.role import SYSTEM
from noria.core.clock import SystemClock
from noria.errors import Conflict, StateError
from noria.feedback.feedback import Feedback
from noria.storage import database as module
from noria.storage.accounts import AccountTable
from noria.storage.approvals import ApprovalTable
from noria.storage.audit import AuditLog
from noria.storage.budgets import BudgetTable
from noria.storage.database import REVISION, Database
from noria.storage.feedback import FeedbackTable
from noria.storage.jobs import Job, JobTable
from noria.storage.keys import KeyTable
from noria.storage.tables import METADATA
from noria.storage.versions import Content, VersionTable

_MIGRATIONS = Path(module.__file__).parent / "migrations"
_ACT = Act(by=SYSTEM, act="test.act", subject="s", details={"b": [1, {"a": None}], "a": "ä"})


def test_migrations_make_exactly_the_tables(database: Database) -> None:
    with database.read() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, METADATA) == []


def test_constraints_are_named_alike(database: Database) -> None:
    with database.read() as connection:
        look = inspect(connection)
        assert look.get_pk_constraint("keys")["name"] == "pk_keys"
        assert {one["name"] for one in look.get_unique_constraints("accounts")} == {
            "uq_accounts_email",
            "uq_accounts_identity",
        }
        assert look.get_foreign_keys("sessions")[0]["name"] == "fk_sessions_account_accounts"


def test_audit_events_are_never_changed(database: Database) -> None:
    log = AuditLog(database, SystemClock())
    with database.write() as connection:
        log.append(connection, _ACT)
        log.append(connection, _ACT)
    for statement in ("UPDATE audit_events SET act = 'x'", "DELETE FROM audit_events"):
        with pytest.raises(DBAPIError, match="never changed"), database.write() as connection:
            connection.execute(text(statement))
    assert log.verify().broken_at is None
    assert log.verify().events == 2
    assert log.page(act="test.").items[0].details == _ACT.details


def test_an_act_and_its_event_are_one(database: Database) -> None:
    log = AuditLog(database, SystemClock())
    with pytest.raises(RuntimeError), database.write() as connection:
        log.append(connection, _ACT)
        raise RuntimeError
    assert log.verify().events == 0


def test_a_taken_name_is_a_conflict(database: Database) -> None:
    statement = text("INSERT INTO budgets VALUES ('b', 's', 1, 'day', :yes, 0.5, 'page', 0)")
    with database.write() as connection:
        connection.execute(statement, {"yes": True})
    with pytest.raises(Conflict), database.write() as connection:
        connection.execute(statement, {"yes": True})


def test_the_program_knows_its_newest_revision() -> None:
    assert ScriptDirectory(str(_MIGRATIONS)).get_current_head() == REVISION


def test_newer_than_the_program_is_refused(tmp_path: Path) -> None:
    database = Database.open(tmp_path / "noria.db")
    with database.write() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    database.close()
    with pytest.raises(StateError, match="newer Noria"):
        Database.open(tmp_path / "noria.db")


_NEXT = f"{int(REVISION) + 1:04}"


@pytest.fixture
def next_migrations(tmp_path: Path) -> Path:
    """The migrations, and one more that changes a table and then fails when NORIA_TEST_FAIL is set."""
    folder = tmp_path / "migrations"
    copytree(_MIGRATIONS, folder)
    (folder / "versions" / f"{_NEXT}_more.py").write_text(
        "import os\nimport sqlalchemy as sa\nfrom alembic import op\n"
        f"revision, down_revision, branch_labels, depends_on = '{_NEXT}', '{REVISION}', None, None\n"
        "def upgrade():\n"
        "    with op.batch_alter_table('accounts') as batch:\n"
        "        batch.add_column(sa.Column('phone', sa.Text))\n"
        "        batch.alter_column('name', nullable=True)\n"
        "    if os.environ.get('NORIA_TEST_FAIL'):\n"
        "        op.execute('SELECT * FROM nothing_of_this_name')\n"
    )
    return folder


def _fill(database: Database) -> None:
    with database.write() as connection:
        connection.execute(
            text("INSERT INTO accounts VALUES ('a', 'a@b', 'A', 'password', '', NULL, '{}', :no, 0, 0)"),
            {"no": False},
        )
        connection.execute(text("INSERT INTO sessions VALUES ('h', 'a', 0, 0, 0, '')"))


def test_an_older_schema_is_migrated_after_a_copy(tmp_path: Path, next_migrations: Path) -> None:
    database = Database.open(tmp_path / "noria.db")
    _fill(database)
    copy = database.migrate(migrations=next_migrations, target=_NEXT)
    assert copy is not None and Database.unchecked(copy).revision() == REVISION
    assert database.revision() == _NEXT
    with database.read() as connection:
        assert "phone" in {column["name"] for column in inspect(connection).get_columns("accounts")}
        # Rebuilding the table of accounts must not have emptied the table that refers to it.
        assert connection.scalar(text("SELECT count(*) FROM sessions")) == 1
    with pytest.raises(DBAPIError, match="FOREIGN KEY"), database.write() as connection:
        connection.execute(text("INSERT INTO sessions VALUES ('i', 'nobody', 0, 0, 0, '')"))


def test_a_failed_migration_leaves_the_old_and_says_so(
    database: Database, next_migrations: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _fill(database)
    monkeypatch.setenv("NORIA_TEST_FAIL", "1")
    with pytest.raises(StateError, match="Nothing was changed"):
        database.migrate(migrations=next_migrations, target=_NEXT)
    assert database.revision() == REVISION
    with database.read() as connection:
        assert "phone" not in {column["name"] for column in inspect(connection).get_columns("accounts")}
        assert connection.scalar(text("SELECT count(*) FROM sessions")) == 1
    monkeypatch.delenv("NORIA_TEST_FAIL")
    database.migrate(migrations=next_migrations, target=_NEXT)
    assert database.revision() == _NEXT


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "noria.db").write_bytes(b"no database" * 100)
    with pytest.raises(StateError, match="cannot be read"):
        Database.open(tmp_path / "noria.db")


def test_the_file_is_private(tmp_path: Path) -> None:
    Database.open(tmp_path / "noria.db").close()
    assert (tmp_path / "noria.db").stat().st_mode & 0o077 == 0


def test_every_table_gives_back_what_it_was_given(database: Database) -> None:
    log = AuditLog(database, SystemClock())
    key = Key(
        id="key_1", lookup="abc", hash=b"\x00\xff", routes=("*",), tags={"env": "x"}, budgets=("b",),
        limits=(RateLimit("money", 2**62, 60),), capture="0.5",
    )  # fmt: skip
    record = KeyRecord(key=key, created_ms=1, created_by="me")
    keys = KeyTable(database, log)
    keys.add_key(record, _ACT)
    assert keys.key("key_1") == record and keys.live() == {"abc": key}

    people = AccountTable(database, log)
    account = Account(id="acc_1", email="a@b", roles={"*": "admin"})
    first, token = new_link(None, now_ms=0)
    people.add_link(first)
    assert people.link(token_hash(token)) == first
    assert people.redeem(first, account, _ACT) and people.accounts() == [account]
    assert not people.redeem(first, account, _ACT), "a link works once"

    approvals = ApprovalTable(database, log)
    approval = Approval(
        id="apr_1", project="p", act="x", subject="s", details={"deep": [{"a": None}]}, asked_by="a",
        asked_by_name="A", created_ms=0, expires_ms=1,
    )  # fmt: skip
    approvals.add_approval(approval, _ACT)
    assert approvals.approvals("p", limit=9) == [approval]
    assert approvals.decide_approval(replace(approval, state="approved"), _ACT)
    assert not approvals.decide_approval(replace(approval, state="rejected"), _ACT)

    budgets = BudgetTable(database, log, SystemClock())
    versions = VersionTable(database, log, budgets, SystemClock())
    budget = Budget("all", "team:*", 5, "day")
    content = Content(files={"noria.toml": "é"}, snapshot=b"\x00", format=1, budgets={"all": budget})
    made = versions.add(content, _ACT, digest="d", comment="c", rolled_back_to=0, after=0)
    assert versions.current() == made and versions.content(1) == content
    assert budgets.all() == [(budget, "config")]
    with pytest.raises(Conflict):
        versions.add(content, _ACT, digest="d", comment="c", rolled_back_to=0, after=0)

    jobs = JobTable(database, log, SystemClock())
    job = Job(id="job_1", project="p", kind="k", subject="s", by="me", created_ms=1, updated_ms=1)
    jobs.add(job, _ACT)
    assert jobs.update("job_1", state="done", done=2**40) and not jobs.update("job_1", state="running")
    assert jobs.open() == [] and jobs.get("job_1").done == 2**40  # type: ignore[union-attr]

    said = FeedbackTable(database)
    feedback = Feedback(
        id="fb_1", project="p", trace="t", kind="thumb", value=False, by="a", by_name="A", created_ms=1
    )
    said.add(feedback)
    assert said.of_trace("p", "t") == [feedback]
    said.erase("p", ["t"])
    assert said.of_trace("p", "t") == []
    assert log.verify().broken_at is None
