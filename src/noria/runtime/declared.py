"""What noria.toml, as it runs, says to the parts of the control process."""

from __future__ import annotations

from pathlib import Path

from noria.access.oidc import Provider
from noria.access.session import Rules
from noria.config.dataset import DatasetSection
from noria.config.prompt import PromptsSection
from noria.providers.secrets import read_secret
from noria.reviews.queue import Queue
from noria.runtime.versions import Versions


class Declared:
    """Read anew at each call; before anything was applied, what a Noria without a configuration has."""

    def __init__(self, versions: Versions, folder: Path) -> None:
        """Secrets in files are relative to `folder`."""
        self._versions = versions
        self._folder = folder

    def rules(self) -> Rules:
        """Of signing in, as configured."""
        if self._versions.current() is None:
            return Rules()
        access = self._versions.config().access
        return Rules(
            session=access.session,
            password=access.password.enabled,
            shortest=access.password.min_length,
            attempts=access.password.max_attempts,
            window=access.password.window,
        )

    def dataset_section(self, name: str) -> DatasetSection | None:
        """What noria.toml says of a dataset."""
        return self._versions.config().datasets.get(name) if self._versions.current() else None

    def prompts_section(self) -> PromptsSection:
        """What noria.toml says of prompts."""
        return self._versions.config().prompts if self._versions.current() else PromptsSection()

    def queues(self) -> tuple[str, dict[str, Queue]]:
        """The digest of what runs, and the review queues that noria.toml declares."""
        current = self._versions.current()
        if current is None:
            return "", {}
        sections = self._versions.config().queues
        return current.digest, {name: section.compiled(name) for name, section in sections.items()}

    def splits(self, dataset: str) -> dict[str, float]:
        """The shares of a dataset's splits, as noria.toml says."""
        found = self._versions.config().datasets.get(dataset) if self._versions.current() else None
        return {} if found is None else dict(found.splits)

    def datasets(self) -> dict[str, DatasetSection]:
        """What noria.toml, as it runs, says of datasets, by name."""
        return self._versions.config().datasets if self._versions.current() else {}

    def tls_in_front(self) -> bool:
        """Whether noria.toml says that something in front of Noria does TLS."""
        return self._versions.current() is not None and self._versions.config().server.tls_in_front

    def public_url(self) -> str:
        """Under which people reach this Noria, as noria.toml says; "" where it does not."""
        return self._versions.config().server.public or "" if self._versions.current() else ""

    def has_oidc(self) -> bool:
        """Whether people may sign in through an OpenID Connect provider."""
        return self._versions.current() is not None and self._versions.config().access.oidc is not None

    def oidc_provider(self) -> Provider | None:
        """Whom people may sign in through, its secret read."""
        section = None if self._versions.current() is None else self._versions.config().access.oidc
        if section is None:
            return None
        return Provider(
            issuer=section.issuer,
            client_id=section.client_id,
            client_secret=read_secret(section.client_secret, base=self._folder),
            scopes=section.scopes,
            groups_claim=section.groups_claim,
            roles=section.roles,
            default_role=section.default_role,
            domains=section.domains,
        )
