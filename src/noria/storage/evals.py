"""EvalRuns in noria.db: evals.store.RunStore."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any

import msgspec
import zstandard
from sqlalchemy import (
    ColumnElement,
    Connection,
    Insert,
    RowMapping,
    Table,
    delete,
    func,
    insert,
    select,
    tuple_,
    update,
)

from noria.access.audit import Act
from noria.core.example import Example
from noria.core.pages import Page
from noria.errors import NotFound
from noria.evals.answer import Answer, Judgement
from noria.evals.run import ENDED, EvalRun, Headline, Progress, RunSpec, State
from noria.evals.store import Kept, Written
from noria.storage.audit import AuditLog
from noria.storage.database import Database
from noria.storage.example_log import ERASED
from noria.storage.seal import Seal
from noria.storage.tables import eval_answers, eval_examples, eval_judgements, eval_runs

_PICO = Decimal(10**12)
_ROWS = 1000
"""Most rows of one transaction, and keys of one query."""
_SMALL = 400
"""Bytes from which a body is compressed."""
_example = msgspec.json.Decoder(Example).decode
_answer = msgspec.json.Decoder(Answer).decode
_judgement = msgspec.json.Decoder(Judgement).decode
_encode = msgspec.json.Encoder().encode
_HEADLINES = "headlines"


class EvalTable:
    """Runs with all that they hold. A body is JSON, after a byte that says whether it is
    compressed, and sealed where payloads are encrypted."""

    def __init__(self, database: Database, log: AuditLog) -> None:
        self._database = database
        self._seal = database.seal
        self._log = log

    def add(self, run: EvalRun, act: Act) -> None:
        with self._database.write() as connection:
            connection.execute(insert(eval_runs).values(_values(run)))
            self._log.append(connection, act)

    def remove(self, run: EvalRun, act: Act) -> None:
        """With all that it holds, in small transactions: the run itself goes first."""
        with self._database.write() as connection:
            connection.execute(delete(eval_runs).where(eval_runs.c.id == run.id))
            self._log.append(connection, act)
        for table in (eval_judgements, eval_answers, eval_examples):
            while self._remove_some(table, run.id):
                pass

    def run(self, project: str, id: str) -> EvalRun | None:
        query = select(eval_runs).where(eval_runs.c.id == id, eval_runs.c.project == project)
        with self._database.read() as connection:
            row = connection.execute(query).mappings().first()
            return None if row is None else _run(row)

    def runs(
        self,
        project: str,
        *,
        name: str = "",
        state: State | None = None,
        cursor: str | None = None,
        limit: int = 50,
    ) -> Page[EvalRun]:
        query = select(eval_runs).where(eval_runs.c.project == project).order_by(eval_runs.c.id.desc())
        if name:
            query = query.where(eval_runs.c.name == name)
        if state is not None:
            query = query.where(eval_runs.c.state == state)
        if cursor:
            query = query.where(eval_runs.c.id < cursor)
        with self._database.read() as connection:
            found = [_run(row) for row in connection.execute(query.limit(limit + 1)).mappings()]
        items = tuple(found[:limit])
        return Page(items, items[-1].id if len(found) > limit else None)

    def save(self, run: EvalRun, act: Act | None = None) -> bool:
        values = _values(run)
        query = update(eval_runs).where(eval_runs.c.id == run.id, eval_runs.c.state.not_in(ENDED))
        with self._database.write() as connection:
            fields = ("state", "message", "progress", "started_ms", "ended_ms")
            saved = connection.execute(query.values({name: values[name] for name in fields})).rowcount
            if saved and act is not None:
                self._log.append(connection, act)
            return bool(saved)

    def note_headlines(self, run: EvalRun) -> None:
        """Of a run that is done, where it still is."""
        query = update(eval_runs).where(eval_runs.c.id == run.id, eval_runs.c.state == "done")
        with self._database.write() as connection:
            connection.execute(query.values(progress=_values(run)["progress"]))

    def note_job(self, run: EvalRun) -> None:
        """Which job does it."""
        with self._database.write() as connection:
            connection.execute(update(eval_runs).where(eval_runs.c.id == run.id).values(job=run.job))

    def change(self, run: EvalRun, act: Act) -> bool:
        """Queued again, without its job and headlines; False, and nothing changed: it has not ended, or
        somebody else was first."""
        values = _values(msgspec.structs.replace(run, headlines=()))
        fields = {name: values[name] for name in ("state", "message", "progress", "ended_ms")}
        query = update(eval_runs).where(eval_runs.c.id == run.id, eval_runs.c.state.in_(ENDED))
        with self._database.write() as connection:
            changed = connection.execute(query.values(**fields, job="")).rowcount
            if changed:
                self._log.append(connection, act)
            return bool(changed)

    def forget_failed(self, run: str) -> None:
        """So that failed answers, and failed scores, are tried again."""
        # A failed answer has failed scores alone; those go first, so that none is left without its answer.
        while self._remove_some(eval_judgements, run, eval_judgements.c.failed > 0):
            pass
        while self._remove_some(eval_answers, run, eval_answers.c.failed):
            pass

    def write(self, run: str, written: Written) -> None:
        project = self._project(run)
        rows: list[tuple[Table, dict[str, Any]]] = [
            (eval_examples, {"run": run, "example": one.id, "body": _packed(one, self._seal)})
            for one in written.examples
        ]
        rows += [(eval_answers, _answer_row(run, project, one, self._seal)) for one in written.answers]
        rows += [
            (eval_judgements, _judgement_row(run, project, one, self._seal)) for one in written.judgements
        ]
        for start in range(0, len(rows), _ROWS):
            part = rows[start : start + _ROWS]
            with self._database.write() as connection:
                for table in (eval_examples, eval_answers, eval_judgements):
                    of = [values for to, values in part if to is table]
                    if of:
                        connection.execute(self._insert_new(table), of)

    def counted(self, run: str) -> Progress:
        answers, judgements = eval_answers.c, eval_judgements.c
        told = answers.reused.is_(False)
        of_answers = select(
            func.count(),
            func.count().filter(answers.failed),
            func.count().filter(answers.reused),
            func.coalesce(func.sum(answers.cost_pico).filter(told), 0),
            func.count().filter(told, answers.failed.is_(False), answers.cost_pico.is_(None)),
        ).where(answers.run == run)
        pairs = select(judgements.example, judgements.repeat).where(judgements.run == run).distinct()
        fresh = judgements.reused.is_(False)
        of_judgements = select(
            func.coalesce(func.sum(judgements.scores), 0),
            func.coalesce(func.sum(judgements.failed), 0),
            func.coalesce(func.sum(judgements.cost_pico).filter(fresh), 0),
            func.coalesce(func.sum(judgements.unknown).filter(fresh), 0),
        ).where(judgements.run == run)
        with self._database.read() as connection:
            count, failed, reused, cost, unknown = connection.execute(of_answers).one()
            scores, failed_scores, judged, unjudged = connection.execute(of_judgements).one()
            scored = connection.scalar(select(func.count()).select_from(pairs.subquery())) or 0
        return Progress(
            answered=count,
            failed=failed,
            reused=reused,
            scored=scored,
            scores=int(scores),
            failed_scores=int(failed_scores),
            cost=(Decimal(int(cost)) + Decimal(int(judged))) / _PICO,
            unknown=unknown + int(unjudged),
        )

    def answers(self, project: str, keys: Sequence[str]) -> dict[str, Answer]:
        found: dict[str, Answer] = {}
        with self._database.read() as connection:
            for part in _parts(keys):
                query = select(eval_answers.c.key, eval_answers.c.body).where(
                    eval_answers.c.project == project,
                    eval_answers.c.key.in_(part),
                    eval_answers.c.failed.is_(False),
                )
                found |= {key: _answer(_plain(body, self._seal)) for key, body in connection.execute(query)}
        return found

    def judgements(self, project: str, keys: Sequence[str]) -> dict[str, Judgement]:
        found: dict[str, Judgement] = {}
        with self._database.read() as connection:
            for part in _parts(keys):
                query = select(eval_judgements.c.key, eval_judgements.c.body).where(
                    eval_judgements.c.project == project, eval_judgements.c.key.in_(part)
                )
                found |= {
                    key: _judgement(_plain(body, self._seal)) for key, body in connection.execute(query)
                }
        return found

    def kept(self, run: str, *, after: str = "") -> Iterator[Kept]:
        while True:
            query = (
                select(eval_examples.c.example)
                .where(eval_examples.c.run == run, eval_examples.c.example > after)
                .order_by(eval_examples.c.example)
                .limit(_ROWS)
            )
            with self._database.read() as connection:
                ids = list(connection.scalars(query))
            if not ids:
                return
            found = self.kept_of(run, ids)
            yield from (found[id] for id in ids if id in found)
            after = ids[-1]

    def kept_of(self, run: str, examples: Iterable[str]) -> dict[str, Kept]:
        found: dict[str, Kept] = {}
        with self._database.read() as connection:
            for part in _parts(list(examples)):
                found |= self._kept_of(connection, run, part)
        return found

    def erase(self, project: str, matches: Callable[[Example], bool]) -> tuple[dict[str, int], set[str]]:
        """Take the words of the examples that match, and of what was answered and judged of them, away:
        what was measured stays. How many answers of each run, and the traces of the calls that were made."""
        counts: dict[str, int] = {}
        traces: set[str] = set()
        with self._database.read() as connection:
            of = select(eval_runs.c.id).where(eval_runs.c.project == project)
            runs = list(connection.scalars(of))
        for run in runs:
            for example in self._examples(run):
                if matches(example):
                    count = self._erase(run, example, traces)
                    if ERASED not in example.metadata:
                        counts[run] = counts.get(run, 0) + count
        return counts, traces

    def _examples(self, run: str) -> Iterator[Example]:
        query = (
            select(eval_examples)
            .where(eval_examples.c.run == run)
            .order_by(eval_examples.c.example)
            .limit(_ROWS)
        )
        after = ""
        while True:
            with self._database.read() as connection:
                page = connection.execute(query.where(eval_examples.c.example > after)).all()
            for row in page:
                yield _example(_plain(row.body, self._seal))
            if len(page) < _ROWS:
                return
            after = page[-1].example

    def _erase(self, run: str, example: Example, traces: set[str]) -> int:
        # Its source stays: run again, the erasure finds the same traces.
        emptied_example = Example(
            id=example.id, input={}, metadata={ERASED: True}, source=example.source, group=example.group
        )
        left: tuple[tuple[Table, Callable[[bytes], msgspec.Struct]], ...] = (
            (eval_examples, lambda body: emptied_example),
            (eval_answers, lambda body: _answer(body).erased()),
            (eval_judgements, lambda body: _judgement(body).erased()),
        )
        count = 0
        with self._database.write() as connection:
            for table, emptied in left:
                keys = [column for column in table.primary_key if column.name != "run"]
                these = table.c.run == run, table.c.example == example.id
                for row in connection.execute(select(*keys, table.c.body).where(*these)).mappings().all():
                    body = _plain(row["body"], self._seal)
                    if table is eval_answers:
                        traces.add(_answer(body).trace)
                        count += 1
                    elif table is eval_judgements:
                        traces.update(score.trace for score in _judgement(body).scores)
                    values: dict[str, Any] = {"body": _packed(emptied(body), self._seal)}
                    if "key" in table.c:
                        values["key"] = ""
                    this = (table.c[key.name] == row[key.name] for key in keys)
                    connection.execute(update(table).where(table.c.run == run, *this).values(values))
        traces.discard("")
        return count

    def _kept_of(self, connection: Connection, run: str, ids: Sequence[str]) -> dict[str, Kept]:
        answers: dict[str, list[Answer]] = {}
        judgements: dict[str, list[Judgement]] = {}
        bodies = dict(self._bodies(connection, eval_examples, run, ids))
        for id, body in self._bodies(connection, eval_answers, run, ids):
            answers.setdefault(id, []).append(_answer(body))
        for id, body in self._bodies(connection, eval_judgements, run, ids):
            judgements.setdefault(id, []).append(_judgement(body))
        return {
            id: Kept(
                example=_example(body),
                answers=tuple(answers.get(id, ())),
                judgements=tuple(judgements.get(id, ())),
            )
            for id, body in bodies.items()
        }

    def _bodies(
        self, connection: Connection, table: Table, run: str, ids: Sequence[str]
    ) -> Iterator[tuple[str, bytes]]:
        query = select(table.c.example, table.c.body).where(table.c.run == run, table.c.example.in_(ids))
        if table is not eval_examples:
            query = query.order_by(table.c.example, table.c.repeat)
        for id, body in connection.execute(query):
            yield id, _plain(body, self._seal)

    def _project(self, run: str) -> str:
        with self._database.read() as connection:
            found = connection.scalar(select(eval_runs.c.project).where(eval_runs.c.id == run))
        if found is None:
            raise NotFound(f"The run {run} is no more.")
        return found

    def _insert_new(self, table: Table) -> Insert:
        """Leaves a row that is there already as it is."""
        if self._database.postgres:
            from sqlalchemy.dialects.postgresql import insert as to_postgres

            return to_postgres(table).on_conflict_do_nothing()
        return insert(table).prefix_with("OR IGNORE")

    def _remove_some(self, table: Table, run: str, *which: ColumnElement[bool]) -> bool:
        key = list(table.primary_key.columns)
        some = select(*key).where(table.c.run == run, *which).limit(_ROWS)
        with self._database.write() as connection:
            return bool(connection.execute(delete(table).where(tuple_(*key).in_(some))).rowcount)


def _parts(keys: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(keys), _ROWS):
        yield keys[start : start + _ROWS]


def _packed(value: msgspec.Struct, seal: Seal) -> bytes:
    body = _encode(value)
    return seal.bytes(b"\0" + body if len(body) < _SMALL else b"\1" + zstandard.compress(body, 1))


def _plain(sealed: bytes, seal: Seal) -> bytes:
    stored = seal.opened(sealed)
    return stored[1:] if stored[0] == 0 else zstandard.decompress(stored[1:])


def _pico(cost: Decimal) -> int:
    return int((cost * _PICO).to_integral_value(rounding=ROUND_HALF_EVEN))


def _answer_row(run: str, project: str, answer: Answer, seal: Seal) -> dict[str, Any]:
    return {
        "run": run,
        "example": answer.example,
        "repeat": answer.repeat,
        "project": project,
        "key": answer.key,
        "failed": bool(answer.failed),
        "reused": answer.reused,
        "cost_pico": None if answer.cost is None else _pico(answer.cost),
        "body": _packed(answer, seal),
    }


def _judgement_row(run: str, project: str, judgement: Judgement, seal: Seal) -> dict[str, Any]:
    scores = judgement.scores
    return {
        "run": run,
        "example": judgement.example,
        "repeat": judgement.repeat,
        "scorer": judgement.scorer,
        "project": project,
        "key": judgement.key,
        "reused": judgement.reused,
        "scores": len(scores),
        "failed": sum(bool(score.failed) for score in scores),
        "unknown": sum(bool(score.trace) and score.cost is None for score in scores),
        "cost_pico": sum(_pico(score.cost) for score in scores if score.cost is not None),
        "body": _packed(judgement, seal),
    }


def _values(run: EvalRun) -> dict[str, Any]:
    values = msgspec.structs.asdict(run)
    values["name"] = run.spec.name
    values["spec"] = msgspec.to_builtins(run.spec)
    # One column holds both.
    values["progress"] = msgspec.to_builtins(run.progress) | {
        _HEADLINES: msgspec.to_builtins(values.pop(_HEADLINES))
    }
    return values


def _run(row: RowMapping) -> EvalRun:
    values = {name: value for name, value in row.items() if name != "name"}
    values["spec"] = msgspec.convert(values["spec"], RunSpec, strict=False)
    kept = values["progress"]
    values[_HEADLINES] = msgspec.convert(kept.get(_HEADLINES, ()), tuple[Headline, ...])
    values["progress"] = msgspec.convert(kept, Progress, strict=False)
    return EvalRun(**values)
