"""Config versions: plan, apply and roll back, each apply one transaction and then one publication."""

from __future__ import annotations

import io
import tempfile
import threading
import zipfile
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

import msgspec

from noria.access.audit import Act
from noria.access.role import Principal
from noria.config.compile import CardLookup, PriceLookup, compile_budgets, compile_snapshot, key_limits
from noria.config.config import Config
from noria.config.diff import Change, plan
from noria.config.load import FILE, check
from noria.config.mistake import refusal
from noria.core.pages import Page
from noria.errors import ConfigError, Conflict, InvalidRequest, NotFound, StateError, Unavailable
from noria.gateway.snapshot import FORMAT, Snapshot
from noria.runtime.publish import Publisher
from noria.storage.snapshots import Snapshots
from noria.storage.versions import ConfigVersion, Content, VersionTable
from noria.tracing.store import Mark, Window

Files = Mapping[str, str]
"""Texts by path relative to the folder of noria.toml."""


class Planned(msgspec.Struct, frozen=True):
    """What an apply would do."""

    changes: list[Change]
    digest: str
    current: int | None


class Applied(msgspec.Struct, frozen=True):
    """What an apply did; `late` are the numbers of workers that had not confirmed."""

    version: ConfigVersion
    changes: list[Change]
    late: list[int]


class _Source(msgspec.Struct, frozen=True):
    files: dict[str, str]
    config: Config


class Versions:
    """The one place where what runs changes."""

    def __init__(
        self,
        table: VersionTable,
        publisher: Publisher,
        snapshots: Snapshots,
        *,
        path: Path,
        card: CardLookup,
        price: PriceLookup,
    ) -> None:
        """`path` is the noria.toml on this machine, which need not exist."""
        self._table = table
        self._publisher = publisher
        self._snapshots = snapshots
        self._path = path / FILE if path.is_dir() else path
        self._card = card
        self._price = price
        self._lock = threading.Lock()
        self._known: dict[int, tuple[Snapshot, Config]] = {}

    def start(self, by: Principal) -> None:
        """Publish what runs; where nothing was ever applied, a noria.toml becomes version 1."""
        current = self.current()
        if current is None:
            if self._path.is_file():
                self.apply(None, comment="first start", by=by)
            return
        snapshot, config = self._compiled(current)
        self._publisher.limits = key_limits(config)
        self._publisher.publish(None if self._published(snapshot) else snapshot)

    def current(self) -> ConfigVersion | None:
        """The version that runs."""
        return self._table.current()

    def get(self, number: int) -> ConfigVersion:
        version = self._table.get(number)
        if version is None:
            raise NotFound(f"There is no config version {number}.")
        return version

    def page(self, cursor: str | None, *, limit: int) -> Page[ConfigVersion]:
        """Newest first."""
        return self._table.page(cursor, limit=limit)

    def files(self, number: int) -> dict[str, str]:
        return self._content(number).files

    def serving(self) -> Snapshot:
        """What runs, compiled. Raises Unavailable where nothing has been applied."""
        return self._running()[0]

    def config(self) -> Config:
        """What runs, as written. Raises Unavailable where nothing has been applied."""
        return self._running()[1]

    def differs_on_disk(self) -> bool | None:
        """Whether noria.toml says something else than what runs; None: there is none."""
        if not self._path.is_file():
            return None
        found = check(self._path).config
        current = self.current()
        return found is None or current is None or found.digest != current.digest

    def plan(self, files: Files | None) -> Planned:
        """What applying these files (None: those on disk) would change. Raises ConfigError."""
        with self._read(files) as source:
            compile_snapshot(source.config, folder=self._path.parent, card=self._card, price=self._price)
            current = self.current()
            return Planned(
                self._changes(source.config), source.config.digest, current.number if current else None
            )

    def apply(
        self,
        files: Files | None,
        *,
        comment: str = "",
        digest: str | None = None,
        current: int | None = None,
        by: Principal,
    ) -> Applied:
        """Make these files (None: those on disk) what runs.

        Raises ConfigError; Conflict where they have another digest than `digest`, or another version than
        `current` runs.
        """
        with self._lock, self._read(files) as source:
            config = source.config
            if digest is not None and digest != config.digest:
                raise Conflict(
                    f"The configuration has the digest {config.digest}, not the one that was planned; plan "
                    "again.",
                    code="config_moved",
                )
            running = self.current()
            number = running.number if running else 0
            if current is not None and current != number:
                raise Conflict(f"Version {number} runs, not {current}; plan again.", code="version_moved")
            changes = self._changes(config)
            if running is not None and source.files == self.files(number):
                return Applied(running, changes, self._serve(running))
            snapshot = compile_snapshot(config, folder=self._path.parent, card=self._card, price=self._price)
            content = Content.of(source.files, snapshot, compile_budgets(config))
            told = [".".join(change.path) for change in changes]
            act = Act(
                by=by,
                act="config.apply",
                subject=config.digest,
                details={"version": number + 1, "changes": told[:100], "comment": comment},
            )
            version = self._table.add(
                content, act, digest=config.digest, comment=comment, rolled_back_to=0, after=number
            )
            self._known = {version.number: (snapshot, config)}
            return Applied(version, changes, self._serve(version))

    def roll_back(self, number: int, *, comment: str = "", by: Principal) -> Applied:
        """Run version `number` again, with the very snapshot that it had."""
        with self._lock:
            old = self.get(number)
            running = self.current()
            if running is None or running.number == number:
                raise Conflict(f"Version {number} is the one that runs.")
            snapshot, config = self._compiled(old)
            changes = self._changes(config)
            content = Content.of(self.files(number), snapshot, self._content(number).budgets)
            act = Act(
                by=by,
                act="config.rollback",
                subject=old.digest,
                details={"version": running.number + 1, "to": number, "comment": comment},
            )
            version = self._table.add(
                content,
                act,
                digest=old.digest,
                comment=comment,
                rolled_back_to=number,
                after=running.number,
            )
            self._known = {version.number: (snapshot, config)}
            return Applied(version, changes, self._serve(version))

    def archive(self, number: int | None) -> tuple[str, bytes]:
        """(file name, zip) of a version's files; None: of the one that runs."""
        if number is None:
            current = self.current()
            if current is None:
                raise NotFound("No configuration has been applied yet.")
            number = current.number
        data = io.BytesIO()
        with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, text in sorted(self.files(number).items()):
                # A fixed date: the same version gives the same bytes.
                archive.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), text)
        return f"noria-config-{number}.zip", data.getvalue()

    def marks(self, window: Window) -> list[Mark]:
        """The versions made in the window, for time charts."""
        found = self._table.between(window.start // 1_000_000, window.end // 1_000_000)
        return [
            Mark(
                at_ms=version.created_ms,
                kind="config",
                label=f"version {version.number}" + (f": {version.comment}" if version.comment else ""),
                ref=version.digest,
            )
            for version in found
        ]

    def _serve(self, version: ConfigVersion) -> list[int]:
        snapshot, config = self._compiled(version)
        self._publisher.limits = key_limits(config)
        return self._publisher.publish(snapshot)

    def _published(self, snapshot: Snapshot) -> bool:
        try:
            served, _ = self._snapshots.current()
        except StateError:
            return False
        return served == snapshot

    def _running(self) -> tuple[Snapshot, Config]:
        current = self.current()
        if current is None:
            raise Unavailable("No configuration has been applied yet; run `noria apply`.")
        return self._compiled(current)

    def _compiled(self, version: ConfigVersion) -> tuple[Snapshot, Config]:
        known = self._known.get(version.number)
        if known is None:
            content = self._content(version.number)
            with self._read(content.files) as source:
                config = source.config
            snapshot = (
                content.compiled()
                if content.format == FORMAT
                else compile_snapshot(config, folder=self._path.parent, card=self._card, price=self._price)
            )
            known = self._known[version.number] = (snapshot, config)
        return known

    def _content(self, number: int) -> Content:
        content = self._table.content(number)
        if content is None:
            raise NotFound(f"There is no config version {number}.")
        return content

    def _changes(self, config: Config) -> list[Change]:
        return plan(self.config() if self.current() else None, config)

    @contextmanager
    def _read(self, files: Files | None) -> Generator[_Source]:
        """The files, checked. Raises ConfigError with one line a mistake."""
        if files is None:
            yield _checked(self._path)
            return
        with tempfile.TemporaryDirectory(prefix="noria-config-") as made:
            folder = Path(made)
            for name, text in files.items():
                place = folder / _inside(name)
                place.parent.mkdir(parents=True, exist_ok=True)
                place.write_text(text, encoding="utf-8")
            if not (folder / FILE).is_file():
                raise InvalidRequest(f"`files` must have a {FILE}.", param="files")
            try:
                yield _checked(folder / FILE)
            except ConfigError as error:
                raise ConfigError(str(error).replace(f"{folder}/", "")) from None


def _checked(path: Path) -> _Source:
    found = check(path)
    if found.config is None:
        raise refusal(found.mistakes)
    files: dict[str, str] = {}
    for source in found.sources:
        name = str(PurePosixPath(source.folder) / source.path.name)
        if source.path == path:
            name = FILE
        if name.startswith(("../", "/")):
            raise ConfigError(
                f"{source.shown} lies outside the folder of {FILE}, so a config version cannot hold it; "
                "move it there."
            )
        files[name] = source.text
    return _Source(files, found.config)


def _inside(name: str) -> PurePosixPath:
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or not path.parts or "\0" in name or len(name) > 300:
        raise InvalidRequest(f"{name!r} is not a path within the folder of {FILE}.", param="files")
    return path
