"""Accounts, sessions and one-time links in noria.db."""

from __future__ import annotations

import msgspec
from sqlalchemy import ColumnElement, Connection, delete, insert, select, update

from noria.access.account import Account, Link
from noria.access.audit import Act
from noria.access.session import Session
from noria.storage.audit import AuditLog
from noria.storage.database import Database
from noria.storage.tables import accounts, links, sessions


class AccountTable:
    """access.store.AccountStore and SessionStore."""

    def __init__(self, database: Database, log: AuditLog) -> None:
        self._database = database
        self._log = log

    def accounts(self) -> list[Account]:
        with self._database.read() as connection:
            return [
                Account(**row)
                for row in connection.execute(select(accounts).order_by(accounts.c.id)).mappings()
            ]

    def any_account(self) -> bool:
        with self._database.read() as connection:
            return connection.scalar(select(accounts.c.id).limit(1)) is not None

    def account(self, id: str) -> Account | None:
        return self._one(accounts.c.id == id)

    def account_by_email(self, email: str) -> Account | None:
        return self._one(accounts.c.email == email)

    def account_by_identity(self, identity: str) -> Account | None:
        return self._one(accounts.c.identity == identity)

    def add_account(self, account: Account, act: Act, *, link: Link | None = None) -> None:
        with self._database.write() as connection:
            connection.execute(insert(accounts).values(msgspec.structs.asdict(account)))
            if link is not None:
                connection.execute(insert(links).values(msgspec.structs.asdict(link)))
            self._log.append(connection, act)

    def save_account(self, account: Account, act: Act, *, end_sessions: bool, keep: str = "") -> None:
        with self._database.write() as connection:
            _save(connection, account)
            if end_sessions:
                connection.execute(
                    delete(sessions).where(sessions.c.account == account.id, sessions.c.hash != keep)
                )
            self._log.append(connection, act)

    def add_link(self, link: Link) -> None:
        with self._database.write() as connection:
            connection.execute(insert(links).values(msgspec.structs.asdict(link)))

    def replace_link(self, link: Link, act: Act) -> None:
        with self._database.write() as connection:
            connection.execute(delete(links).where(links.c.account == link.account))
            connection.execute(insert(links).values(msgspec.structs.asdict(link)))
            self._log.append(connection, act)

    def link(self, hash: str) -> Link | None:
        with self._database.read() as connection:
            row = connection.execute(select(links).where(links.c.hash == hash)).mappings().first()
            return None if row is None else Link(**row)

    def redeem(self, link: Link, account: Account, act: Act) -> bool:
        with self._database.write() as connection:
            if not connection.execute(delete(links).where(links.c.hash == link.hash)).rowcount:
                return False
            if link.account is None:
                if connection.scalar(select(accounts.c.id).limit(1)) is not None:
                    return False
                connection.execute(delete(links).where(links.c.account.is_(None)))
                connection.execute(insert(accounts).values(msgspec.structs.asdict(account)))
            else:
                _save(connection, account)
                connection.execute(delete(sessions).where(sessions.c.account == account.id))
            self._log.append(connection, act)
            return True

    def add_session(self, session: Session, act: Act) -> None:
        with self._database.write() as connection:
            connection.execute(insert(sessions).values(msgspec.structs.asdict(session)))
            _seen(connection, session.account, session.created_ms)
            self._log.append(connection, act)

    def session(self, hash: str) -> tuple[Session, Account] | None:
        with self._database.read() as connection:
            row = connection.execute(select(sessions).where(sessions.c.hash == hash)).mappings().first()
            if row is None:
                return None
            query = select(accounts).where(accounts.c.id == row["account"])
            owner = connection.execute(query).mappings().one()
            return Session(**row), Account(**owner)

    def touch_session(self, session: Session, *, now_ms: int) -> None:
        with self._database.write() as connection:
            connection.execute(update(sessions).where(sessions.c.hash == session.hash).values(seen_ms=now_ms))
            _seen(connection, session.account, now_ms)

    def end_session(self, hash: str, act: Act) -> None:
        with self._database.write() as connection:
            if connection.execute(delete(sessions).where(sessions.c.hash == hash)).rowcount:
                self._log.append(connection, act)

    def drop_expired(self, *, now_ms: int) -> None:
        with self._database.write() as connection:
            for table in (sessions, links):
                connection.execute(delete(table).where(table.c.expires_ms <= now_ms))

    def _one(self, condition: ColumnElement[bool]) -> Account | None:
        with self._database.read() as connection:
            row = connection.execute(select(accounts).where(condition)).mappings().first()
            return None if row is None else Account(**row)


def _save(connection: Connection, account: Account) -> None:
    connection.execute(
        update(accounts).where(accounts.c.id == account.id).values(msgspec.structs.asdict(account))
    )


def _seen(connection: Connection, account: str, now_ms: int) -> None:
    connection.execute(update(accounts).where(accounts.c.id == account).values(last_seen_ms=now_ms))
