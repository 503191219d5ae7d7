"""The control process put together: what the API and the page are answered from."""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Literal, Protocol

from anyio.to_thread import run_sync

import noria
from noria.access import token as tokens
from noria.access.account import Accounts
from noria.access.approval import Approvals
from noria.access.audit import Act
from noria.access.key import Key, authenticate
from noria.access.keyring import Keyring
from noria.access.role import EVERYWHERE, SYSTEM, Principal, Role, role_named
from noria.access.session import SignIn
from noria.core.clock import Clock, SystemClock
from noria.errors import ConfigError
from noria.gateway.snapshot import Model, Snapshot
from noria.providers import engine
from noria.providers.secrets import read_vault
from noria.providers.transport import PooledTransport
from noria.runtime import health as healths
from noria.runtime import metrics, monitor_metrics
from noria.runtime.budgets import Budgets, counter_totals
from noria.runtime.curation import Curation
from noria.runtime.datasets import Datasets
from noria.runtime.declared import Declared
from noria.runtime.erasure import Erased, PersonEraser, traces_of
from noria.runtime.eval_spec import Resolver
from noria.runtime.evals import Evals
from noria.runtime.explore import Explorations
from noria.runtime.feedback import FeedbackDesk
from noria.runtime.jobs import Jobs
from noria.runtime.judges import Judges
from noria.runtime.measured import Measured, measure
from noria.runtime.monitor_parts import open_monitors
from noria.runtime.neighbour import CollectorSocket, Stand
from noria.runtime.optimize import Optimizations
from noria.runtime.prompts import Prompts
from noria.runtime.publish import Publisher
from noria.runtime.review_items import ItemSources
from noria.runtime.reviews import ReviewDesk
from noria.runtime.sealing import WANTED
from noria.runtime.shelf import Catalogue, KnownModels, Shelf
from noria.runtime.shots import Pools
from noria.runtime.studies import Studies
from noria.runtime.versions import Versions
from noria.storage.accounts import AccountTable
from noria.storage.approvals import ApprovalTable
from noria.storage.audit import AuditLog
from noria.storage.budgets import BudgetTable
from noria.storage.curation import CurationTable
from noria.storage.database import REVISION, Database
from noria.storage.datasets import DatasetTable
from noria.storage.evals import EvalTable
from noria.storage.explorations import ExplorationTable
from noria.storage.feedback import FeedbackTable
from noria.storage.home import Home
from noria.storage.jobs import JobTable
from noria.storage.judges import CalibrationTable
from noria.storage.keys import KeyTable
from noria.storage.ledger import LedgerStore
from noria.storage.optimizations import OptimizationTable
from noria.storage.prompts import PromptTable
from noria.storage.reviews import ReviewTable
from noria.storage.seal import PLAIN, Seal
from noria.storage.snapshots import Snapshots
from noria.storage.spans import SpanStore
from noria.storage.studies import StudyTable
from noria.storage.versions import VersionTable
from noria.tracing.store import Eraser, LedgerReader, SpanReader, Window

LOCAL_TOKEN = "local-token"
"""File in the run folder: who can read it may do all, over the socket beside it."""
SETUP_TOKEN = "setup-token"
"""File in the run folder: the token of the link that makes the first account."""
_USES: tuple[tuple[Used, int], ...] = (
    ("hour", 3600),
    ("day", 86_400),
    ("week", 604_800),
    ("month", 2_592_000),
)
Used = Literal["hour", "day", "week", "month", "no"]
Use = tuple[Used, int, str]
"""(within the last "hour", "day", "week", "month" or "no", calls of 30 days, their cost)."""


class Neighbour(Eraser, Protocol):
    """The collector."""

    async def stand(self) -> Stand | None:
        """How it does; None: it does not answer."""
        ...


class Control:
    """All parts, and the acts that need several of them."""

    def __init__(
        self,
        home: Home,
        path: Path,
        *,
        models: Catalogue,
        spans: SpanReader,
        sealed: SpanReader | None = None,
        ledger: LedgerReader,
        collector: Neighbour,
        gateway: str = "",
        clock: Clock | None = None,
        seal: Seal = PLAIN,
    ) -> None:
        """Opens, and where needed migrates, noria.db. `path` is the noria.toml. Raises StateError.

        `sealed` reads the spans where payloads are encrypted; None: there is no key. `seal` is for noria.db.
        """
        self.home = home
        self.path = path
        self.clock: Clock = clock or SystemClock()
        self.version = noria.__version__
        self.pepper = home.pepper()
        self._spans = spans
        self._sealed = sealed
        self.ledger = ledger
        self._collector = collector
        self._gateway = gateway
        self._started = time.monotonic()
        self.database = Database.open(home.database, seal=seal)
        self.audit = AuditLog(self.database, self.clock)
        self._accounts = AccountTable(self.database, self.audit)
        self._keys = KeyTable(self.database, self.audit)
        self._budgets = BudgetTable(self.database, self.audit, self.clock)
        self.snapshots = Snapshots(home.snapshots)
        self.publisher = Publisher(
            self.snapshots,
            self.clock,
            keys=self._keys.live,
            budgets=self._budgets.live,
            prompts=lambda: self.prompts.live(),
            reserve=lambda name: engine.read(name, home) or engine.reserve(name, home),
        )
        self.versions = Versions(
            VersionTable(self.database, self.audit, self._budgets, self.clock),
            self.publisher,
            self.snapshots,
            path=path,
            card=models.card,
            price=models.price,
        )
        self.declared = Declared(self.versions, path.absolute().parent)
        self.accounts = Accounts(self._accounts, self.clock)
        self.sign_in = SignIn(self._accounts, self._accounts, self.clock, rules=self.declared.rules)
        self.keys = Keyring(
            self._keys,
            self.clock,
            pepper=self.pepper,
            publish=self.publisher.publish,
            budgets=self._budgets.names,
        )
        self.budgets = Budgets(
            self._budgets,
            self.clock,
            publish=self.publisher.publish,
            keys=lambda: self._keys.keys(None),
            ledger=ledger,
            totals=counter_totals(home, self.clock),
        )
        self.approvals = Approvals(ApprovalTable(self.database, self.audit), self.clock)
        self.feedback = FeedbackDesk(FeedbackTable(self.database), lambda: self.spans, self.clock)
        self.jobs = Jobs(
            JobTable(self.database, self.audit, self.clock),
            home.jobs,
            self.clock,
            environment={WANTED: "1" if seal.wanted else ""},
        )
        self.shelf = Shelf(models, self.versions, self.jobs, record=self._record)
        self.prompts = Prompts(
            PromptTable(self.database, self.audit, self.clock),
            self.approvals,
            self.clock,
            publish=self.publisher.publish,
            section=self.declared.prompts_section,
            pools=Pools(home.pools, home.folder, self.jobs),
        )
        self.judges = Judges(
            CalibrationTable(self.database, self.audit),
            self.jobs,
            self.clock,
            home=home,
            config=self.versions.config,
            serving=self.serving,
            datasets=DatasetTable(self.database, self.audit, self.clock),
            prompts=PromptTable(self.database, self.audit, self.clock),
        )
        self.evals = Evals(
            EvalTable(self.database, self.audit),
            self.jobs,
            self.clock,
            home=home,
            folder=path.absolute().parent,
            config=self.versions.config,
            resolver=Resolver(
                folder=path.absolute().parent,
                prompts=PromptTable(self.database, self.audit, self.clock),
                datasets=DatasetTable(self.database, self.audit, self.clock),
                serving=self.serving,
                scorer=self.judges.spec,
                compile=self.prompts.compile,
            ),
            prompts=PromptTable(self.database, self.audit, self.clock),
            bar=self.judges,
        )
        self.optimizations = Optimizations(
            OptimizationTable(self.database, self.audit),
            self.jobs,
            self.clock,
            home=home,
            folder=path.absolute().parent,
            resolver=lambda: self.evals.resolver,
            datasets=DatasetTable(self.database, self.audit, self.clock),
        )
        self.studies = Studies(
            StudyTable(self.database, self.audit),
            self.jobs,
            self.clock,
            home=home,
            folder=path.absolute().parent,
            config=self.versions.config,
            evals=self.evals,
        )
        self.prompts.gates = self.evals
        self.prompts.datasets = DatasetTable(self.database, self.audit, self.clock)
        datasets = DatasetTable(self.database, self.audit, self.clock)
        self.reviews = ReviewDesk(
            ReviewTable(self.database, self.audit),
            self.clock,
            sources=ItemSources(
                spans=lambda: self.spans,
                resolve=self.feedback.resolve,
                datasets=datasets,
                runs=EvalTable(self.database, self.audit),
            ),
            datasets=datasets,
            feedback=self.feedback.table,
            declared=self.declared.queues,
        )
        self.datasets = Datasets(
            datasets,
            self.jobs,
            self.clock,
            spans=lambda: self.spans,
            section=self.declared.dataset_section,
            folder=path.absolute().parent,
            database=home.database,
            uploads=home.uploads,
        )
        self.curation = Curation(
            CurationTable(self.database, self.audit),
            datasets,
            self.jobs,
            self.clock,
            home=home,
            folder=path.absolute().parent,
            sections=self.declared.datasets,
            splits=self.declared.splits,
            seal=seal,
        )
        self._eraser = PersonEraser(
            self.database,
            self.audit,
            feedback=self.feedback.table,
            datasets=datasets,
            curation=self.curation,
        )
        self.explorations = Explorations(
            ExplorationTable(self.database),
            EvalTable(self.database, self.audit),
            self.jobs,
            self.clock,
            home=home,
            folder=path.absolute().parent,
            datasets=self.datasets,
            resolver=lambda: self.evals.resolver,
            judges=self.judges,
            serving=self.serving,
        )
        self.monitors = open_monitors(
            self.database,
            self.audit,
            self.clock,
            home=home,
            folder=path.absolute().parent,
            versions=self.versions,
            spans=lambda: self.spans,
            address=lambda: self.declared.public_url() or self.gateway_address(),
        )
        self.local_token = ""

    def start(self) -> None:
        """Publish what runs, write the local token, and the first account's link where there is none."""
        self.versions.start(SYSTEM)
        # Before anybody can call: a monitor looks at what comes after it.
        self.monitors.sync()
        self.local_token = "nl-" + secrets.token_urlsafe(32)
        _write_private(self.home.run / LOCAL_TOKEN, self.local_token)
        setup = self.home.run / SETUP_TOKEN
        if self.sign_in.needs_setup():
            _write_private(setup, self.sign_in.first_link())
        else:
            setup.unlink(missing_ok=True)
        self.datasets.clear_uploads()
        self._accounts.drop_expired(now_ms=self.clock.now_ns() // 1_000_000)

    def close(self) -> None:
        self.monitors.close()
        self.jobs.close()
        self.database.close()

    @property
    def spans(self) -> SpanReader:
        """Raises ConfigError where payloads are encrypted and the key is missing."""
        encryption = self.versions.config().encryption if self.versions.current() else None
        if encryption is None or not encryption.payloads:
            return self._spans
        if self._sealed is None:
            raise ConfigError("Payloads are encrypted and there is no key; set NORIA_ENCRYPTION_KEY.")
        return self._sealed

    def serving(self) -> Snapshot:
        """What workers serve. Raises Unavailable where nothing has been applied."""
        return self.versions.serving()

    def key_principal(self, token: str) -> Principal | None:
        """Whom a virtual key stands for; None: it is not one that is in force."""
        live = self.publisher.live.keys
        key = authenticate(token.encode(), live, pepper=self.pepper, now=self.clock.now_ns() / 1e9)
        if key is None:
            return None
        role = role_named(key.role)
        roles: dict[str, Role] = {} if role is None else {key.project: role}
        return Principal(id=key.id, name=key.name, kind="key", roles=roles)

    def token_for(self, who: Principal, project: str) -> str:
        """A short-lived token with which the gateway lets `who` call in `project`."""
        own = next((key for key in self.publisher.live.keys.values() if key.id == who.id), None)
        key = own or Key(
            id=who.id,
            lookup="",
            hash=b"",
            name=who.name,
            project=project,
            user=who.email or who.name,
            routes=("*",),
            limits=self.publisher.limits,
        )
        return tokens.issue(key, pepper=self.pepper, now=self.clock.now_ns() / 1e9)

    def gateway_address(self) -> str:
        """Where the workers listen, as a URL: as this process was told, else as noria.toml says."""
        if self._gateway:
            return self._gateway
        server = self.versions.config().server
        scheme = "https" if server.tls_cert is not None else "http"
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(server.host, server.host)
        return f"{scheme}://{f'[{host}]' if ':' in host else host}:{server.port}"

    def projects(self, who: Principal) -> list[str]:
        """Those that exist and that `who` may see."""
        named = {project for account in self.accounts.all() for project in account.roles}
        every = {"default", *self._keys.projects(), *named, *who.roles} - {EVERYWHERE}
        return sorted(project for project in every if who.may("viewer", project))

    def key_use(self, project: str) -> dict[str, Use]:
        """How much each key of the project was used, by id; those that were not are left out."""
        now = self.clock.now_ns()
        found: dict[str, Use] = {}
        for name, seconds in _USES:
            for row in self.ledger.costs(project, Window(now - seconds * 1_000_000_000, now), by="key").rows:
                used = found[row.group][0] if row.group in found else name
                found[row.group] = (used, row.calls, row.cost)
        return found

    def measured(self, project: str, window: Window, models: Sequence[Model]) -> dict[str, Measured]:
        """What the spans say of these models, by id."""
        return measure(self.spans, self.ledger, project, window, models)

    async def erase(self, project: str, user: str, *, by: Principal) -> Erased:
        """Delete what is recorded of `user`: first what was made of their traces, then the traces, by which
        the rest is found. Raises Conflict where a build or a commit of a dataset is under way."""
        self.curation.require_idle(project)
        now = self.clock.now_ns()
        traces, sessions = await run_sync(traces_of, self.spans, project, user, now)
        copies, calls = await run_sync(lambda: self._eraser.erase(project, user, traces, sessions, by=by))
        # One that was begun meanwhile may have read what was erased; then all of it is done again.
        self.curation.require_idle(project)
        await run_sync(self.monitors.erase, project, traces)
        found = await self._collector.erase_user(project, user, calls)
        erased = replace(copies, traces=found.traces, spans=found.spans, stored=found.stored)
        # The log keeps that somebody was erased, and not whom.
        details = {
            name: value for name, value in asdict(erased).items() if name not in ("places", "scrubbed")
        }
        act = Act(by=by, act="user.erase", subject="user", project=project, details=details)
        await run_sync(self._record, act)
        return erased

    async def health(self) -> healths.Health:
        return await run_sync(self._health, await self._collector.stand())

    async def metrics(self) -> str:
        """Prometheus text."""
        health = await self.health()
        return await run_sync(self._metrics, health)

    def _record(self, act: Act) -> None:
        with self.database.write() as connection:
            self.audit.append(connection, act)

    def _health(self, stand: Stand | None) -> healths.Health:
        current = self.versions.current()
        return healths.look(
            self.home,
            self.snapshots,
            schema=REVISION,
            digest=current.digest if current else None,
            started=self._started,
            collector=stand,
        )

    def _metrics(self, health: healths.Health) -> str:
        projects = self.projects(SYSTEM)
        watched = monitor_metrics.render(
            self.monitors.every_state(), self.monitors.open_alerts(), projects=projects
        )
        return metrics.render(self.spans, self.ledger, health, self.clock, projects=projects) + watched


def _write_private(path: Path, text: str) -> None:
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    with open(aside, "w", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
        file.write(text)
    aside.replace(path)


def open_control(home: Home, path: Path, *, gateway: str = "", encrypt: bool = False) -> Control:
    """The control process of this machine; `gateway` is the URL at which the workers listen.

    Raises ConfigError where payloads are to be encrypted and there is no key.
    """
    vault = read_vault(os.environ, base=path.absolute().parent)
    return Control(
        home,
        path,
        models=KnownModels(),
        spans=SpanStore(home.spans),
        sealed=None if vault is None else SpanStore(home.spans, cipher=vault),
        ledger=LedgerStore(home.ledger),
        collector=CollectorSocket(home.run / "collector.sock", PooledTransport),
        gateway=gateway,
        seal=Seal(vault, wanted=encrypt),
    )
