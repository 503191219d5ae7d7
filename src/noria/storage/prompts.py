"""Prompts in noria.db."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection, RowMapping, delete, func, insert, or_, select, update

from noria.access.audit import Act
from noria.core.author import Author
from noria.core.clock import Clock
from noria.core.gate import GateResult
from noria.core.pages import Page
from noria.errors import Conflict
from noria.prompts.prompt import LabelMove, Prompt
from noria.prompts.reference import LATEST, MAIN, Reference
from noria.prompts.version import Label, PromptContent, PromptVersion
from noria.storage.audit import AuditLog, number_of
from noria.storage.database import Database
from noria.storage.tables import prompt_label_moves, prompt_labels, prompt_versions, prompts

_content = msgspec.json.Decoder(PromptContent)
_encode = msgspec.json.Encoder(order="deterministic").encode


class PromptTable:
    """prompts.store.PromptStore."""

    def __init__(self, database: Database, log: AuditLog, clock: Clock) -> None:
        self._database = database
        self._log = log
        self._clock = clock

    def prompt(self, project: str, name: str) -> Prompt | None:
        with self._database.read() as connection:
            row = connection.execute(_one(project, name)).mappings().first()
            return None if row is None else _prompt(row)

    def prompts(
        self,
        project: str,
        *,
        search: str = "",
        tag: str = "",
        owner: str = "",
        cursor: str | None,
        limit: int,
    ) -> Page[Prompt]:
        query = select(prompts).where(prompts.c.project == project).order_by(prompts.c.name)
        if search:
            low = search.lower()
            query = query.where(
                or_(
                    func.lower(prompts.c.name).contains(low, autoescape=True),
                    func.lower(prompts.c.description).contains(low, autoescape=True),
                )
            )
        for column, wanted in ((prompts.c.tags, tag), (prompts.c.owners, owner)):
            if wanted:
                query = query.where(column.contains(_lines((wanted,)), autoescape=True))
        if cursor:
            query = query.where(prompts.c.name > cursor)
        with self._database.read() as connection:
            found = [_prompt(row) for row in connection.execute(query.limit(limit + 1)).mappings()]
        items = tuple(found[:limit])
        return Page(items, items[-1].name if len(found) > limit else None)

    def version(self, project: str, reference: Reference) -> PromptVersion | None:
        with self._database.read() as connection:
            return _version(connection, project, reference)

    def by_digest(self, project: str, name: str, digest: str) -> PromptVersion | None:
        query = _of(project, name).where(prompt_versions.c.digest == digest)
        with self._database.read() as connection:
            row = connection.execute(query.order_by(prompt_versions.c.number)).mappings().first()
            return None if row is None else _read(row)

    def versions(
        self, project: str, name: str, *, branch: str = "", cursor: str | None, limit: int
    ) -> Page[PromptVersion]:
        query = _of(project, name).order_by(prompt_versions.c.number.desc()).limit(limit + 1)
        if branch:
            query = query.where(prompt_versions.c.branch == branch)
        if cursor:
            query = query.where(prompt_versions.c.number < number_of(cursor))
        with self._database.read() as connection:
            found = [_read(row) for row in connection.execute(query).mappings()]
        items = tuple(found[:limit])
        return Page(items, str(items[-1].number) if len(found) > limit else None)

    def branches(self, project: str, name: str) -> dict[str, int]:
        newest = func.max(prompt_versions.c.number).label("newest")
        query = select(prompt_versions.c.branch, newest).where(
            prompt_versions.c.project == project, prompt_versions.c.prompt == name
        )
        with self._database.read() as connection:
            rows = connection.execute(query.group_by(prompt_versions.c.branch))
            return {row.branch: row.newest for row in rows}

    def labels(self, project: str | None, name: str = "") -> list[Label]:
        query = select(prompt_labels).order_by(prompt_labels.c.prompt, prompt_labels.c.name)
        if project is not None:
            query = query.where(prompt_labels.c.project == project)
        if name:
            query = query.where(prompt_labels.c.prompt == name)
        with self._database.read() as connection:
            return [Label(**row) for row in connection.execute(query).mappings()]

    def moves(self, project: str, name: str, label: str) -> list[LabelMove]:
        table = prompt_label_moves
        query = select(table).where(
            table.c.project == project, table.c.prompt == name, table.c.label == label
        )
        with self._database.read() as connection:
            return [_move(row) for row in connection.execute(query.order_by(table.c.sequence)).mappings()]

    def commit(
        self,
        project: str,
        name: str,
        content: PromptContent,
        *,
        branch: str = MAIN,
        parent: str = "",
        comment: str = "",
        by: Author,
    ) -> tuple[PromptVersion, bool]:
        now = self._clock.now_ns() // 1_000_000
        digest = content.digest
        with self._database.write() as connection:
            if _pointer(connection, project, name, branch) is not None:
                raise Conflict(f"{branch!r} is a label of prompt {name!r}; call the branch otherwise.")
            head = _head(connection, project, name, branch)
            if head is not None and head.digest == digest:
                return head, False
            row = connection.execute(_one(project, name)).mappings().first()
            number = 1 if row is None else row["latest"] + 1
            version = PromptVersion(
                project=project, prompt=name, number=number, digest=digest, content=content, branch=branch,
                parent=parent or (head.digest if head is not None else ""), comment=comment, by=by.id,
                by_name=by.name, created_ms=now,
            )  # fmt: skip
            if row is None:
                made = Prompt(project=project, name=name, created_ms=now, updated_ms=now, latest=1)
                connection.execute(insert(prompts).values(msgspec.structs.asdict(made) | _NOTHING_SAID))
            else:
                connection.execute(_change(project, name).values(latest=number, updated_ms=now))
            values = {**msgspec.structs.asdict(version), "content": _encode(content).decode()}
            connection.execute(insert(prompt_versions).values(values))
            told = {"number": number, "digest": digest, "branch": branch, "comment": comment}
            act = Act(by=by, act="prompt.commit", subject=name, project=project, details=told)
            self._log.append(connection, act)
        return version, True

    def describe(
        self,
        project: str,
        name: str,
        *,
        description: str,
        tags: Sequence[str],
        owners: Sequence[str],
        by: Author,
    ) -> Prompt:
        now = self._clock.now_ns() // 1_000_000
        said: dict[str, Any] = {"description": description, "tags": _lines(tags), "owners": _lines(owners)}
        with self._database.write() as connection:
            row = connection.execute(_one(project, name)).mappings().first()
            if row is not None and all(row[field] == value for field, value in said.items()):
                return _prompt(row)
            if row is None:
                made = Prompt(project=project, name=name, created_ms=now, updated_ms=now)
                connection.execute(insert(prompts).values(msgspec.structs.asdict(made) | said))
            else:
                connection.execute(_change(project, name).values(**said, updated_ms=now))
            told = {"description": description, "tags": list(tags), "owners": list(owners)}
            act = Act(by=by, act="prompt.describe", subject=name, project=project, details=told)
            self._log.append(connection, act)
            return _prompt(connection.execute(_one(project, name)).mappings().one())

    def move(self, move: LabelMove, *, after: int, by: Author) -> LabelMove:
        with self._database.write() as connection:
            last = connection.scalar(
                select(func.max(prompt_label_moves.c.sequence)).where(*_same(prompt_label_moves, move))
            )
            if (last or 0) != after:
                raise Conflict(f"The label {move.label!r} was moved meanwhile; look at it again.")
            if _head(connection, move.project, move.prompt, move.label) is not None:
                raise Conflict(f"{move.label!r} is a branch of this prompt; call the label otherwise.")
            made = msgspec.structs.replace(
                move,
                sequence=after + 1,
                moved_ms=self._clock.now_ns() // 1_000_000,
                by=by.id,
                by_name=by.name,
            )
            values = msgspec.structs.asdict(made) | {"gates": msgspec.to_builtins(made.gates)}
            connection.execute(insert(prompt_label_moves).values(values))
            before = _pointer(connection, made.project, made.prompt, made.label)
            connection.execute(delete(prompt_labels).where(*_same(prompt_labels, made, column="name")))
            if made.number:
                connection.execute(insert(prompt_labels).values(msgspec.structs.asdict(_label(made))))
            told = {
                "label": made.label, "to": made.number, "from": before or 0, "digest": made.digest,
                "reason": made.reason, "gates": {one.gate: one.verdict for one in made.gates},
                "approval": made.approval,
            }  # fmt: skip
            act = f"prompt.label.{made.kind}"
            self._log.append(
                connection, Act(by=by, act=act, subject=made.prompt, project=made.project, details=told)
            )
        return made


_NOTHING_SAID = {"tags": "", "owners": ""}


def _version(connection: Connection, project: str, reference: Reference) -> PromptVersion | None:
    number = reference.number
    if not number and reference.at != LATEST:
        number = _pointer(connection, project, reference.name, reference.at) or 0
    if not number:
        branch = MAIN if reference.at == LATEST else reference.at
        return _head(connection, project, reference.name, branch) if branch else None
    query = _of(project, reference.name).where(prompt_versions.c.number == number)
    row = connection.execute(query).mappings().first()
    return None if row is None else _read(row)


def _pointer(connection: Connection, project: str, name: str, label: str) -> int | None:
    return connection.scalar(
        select(prompt_labels.c.number).where(
            prompt_labels.c.project == project,
            prompt_labels.c.prompt == name,
            prompt_labels.c.name == label,
        )
    )


def _head(connection: Connection, project: str, name: str, branch: str) -> PromptVersion | None:
    query = _of(project, name).where(prompt_versions.c.branch == branch)
    row = connection.execute(query.order_by(prompt_versions.c.number.desc()).limit(1)).mappings().first()
    return None if row is None else _read(row)


def _one(project: str, name: str) -> Any:
    return select(prompts).where(prompts.c.project == project, prompts.c.name == name)


def _change(project: str, name: str) -> Any:
    return update(prompts).where(prompts.c.project == project, prompts.c.name == name)


def _of(project: str, name: str) -> Any:
    return select(prompt_versions).where(
        prompt_versions.c.project == project, prompt_versions.c.prompt == name
    )


def _same(table: Any, move: LabelMove, *, column: str = "label") -> tuple[Any, ...]:
    return (table.c.project == move.project, table.c.prompt == move.prompt, table.c[column] == move.label)


def _lines(names: Sequence[str]) -> str:
    return "\n".join(("", *names, "")) if names else ""


def _prompt(row: RowMapping) -> Prompt:
    values = dict(row)
    for name in ("tags", "owners"):
        values[name] = tuple(values[name].split("\n")[1:-1])
    return Prompt(**values)


def _read(row: RowMapping) -> PromptVersion:
    values = dict(row)
    values["content"] = _content.decode(values["content"])
    return PromptVersion(**values)


def _move(row: RowMapping) -> LabelMove:
    values = dict(row)
    values["gates"] = msgspec.convert(values["gates"], tuple[GateResult, ...])
    return LabelMove(**values)


def _label(move: LabelMove) -> Label:
    return Label(
        project=move.project, prompt=move.prompt, name=move.label, digest=move.digest, number=move.number,
        moved_ms=move.moved_ms, by=move.by, by_name=move.by_name, reason=move.reason,
    )  # fmt: skip
