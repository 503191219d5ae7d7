"""What is wrong with a Noria, running or not, and what to do about it: `noria doctor`.

Looks only: nothing is made, changed, locked or migrated. Each check gives Findings; one that finds nothing
wrong says so too, so that what was looked at is seen.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from noria.config.config import Config
from noria.config.lacking import lacking
from noria.config.load import Checked, check
from noria.errors import ConfigError
from noria.runtime import doctor_databases, doctor_machine, doctor_network, doctor_processes
from noria.runtime.finding import Finding
from noria.storage.home import Home

Report = Callable[[str], None]
"""Is told which check begins."""


def examine(path: Path, *, environment: dict[str, str], network: bool, report: Report) -> list[Finding]:
    """All findings about the Noria of the noria.toml at `path`; without `network` providers are not asked."""
    home = Home.beside(path)
    folder = path.absolute().parent
    running = doctor_processes.supervised(home)
    if running is not None:
        environment = doctor_processes.environment_of(running.pid) or environment
    config, found = _configuration(path, environment)
    checks: list[tuple[str, Callable[[], Iterator[Finding]]]] = [
        ("state folder", lambda: doctor_machine.folder(home)),
        ("disk", lambda: doctor_machine.disk(home)),
        ("parts", lambda: doctor_machine.parts(config)),
        ("processes", lambda: doctor_processes.processes(home)),
        ("port", lambda: doctor_processes.port(home, config)),
        ("spool", lambda: doctor_processes.spool(home, config)),
        ("engines", lambda: doctor_processes.engines(home, config, folder)),
        ("databases", lambda: doctor_databases.databases(home, report)),
    ]
    if network:
        checks.append(("providers", lambda: doctor_network.providers(config, folder, environment)))
    checks.append(("clock", lambda: doctor_machine.clock(home, found)))
    for name, look in checks:
        report(name)
        found += look()
    return found


def _configuration(path: Path, environment: dict[str, str]) -> tuple[Config, list[Finding]]:
    """The Config, or the defaults where it cannot be read, for the other checks to go by."""
    try:
        checked = check(path)
    except ConfigError:
        return Config(), [
            Finding("configuration", "wrong", f"{path} does not exist.", "`noria init` writes one.")
        ]
    if checked.config is None:
        return Config(), list(_mistakes(checked))
    missing = lacking(checked.config, folder=path.absolute().parent, environment=environment)
    if not missing:
        return checked.config, [Finding("configuration", "ok", f"{path} is valid.")]
    return checked.config, [
        Finding("configuration", "wrong", words, "Set it where `noria up` is started, or change noria.toml.")
        for words in missing
    ]


def _mistakes(checked: Checked) -> Iterator[Finding]:
    for mistake in checked.mistakes:
        yield Finding("configuration", "wrong", str(mistake), "Correct it; `noria check` looks again.")
