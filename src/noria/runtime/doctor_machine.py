"""Doctor: the state folder, the disks, installed parts, the clock."""

from __future__ import annotations

import os
import shutil
import stat
import time
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path

from noria.config.config import Config
from noria.providers.weights.cache import root
from noria.runtime.finding import Finding
from noria.storage.home import Home

SCARCE_BYTES, SCARCE_SHARE = 1_000_000_000, 0.05
"""A disk is nearly full where less than either is free."""
SKEW_S = 60.0
"""A clock is wrong beyond this."""


def folder(home: Home) -> Iterator[Finding]:
    """Whether the state folder is there, ours, and nobody else's to read."""
    place = home.folder
    if not place.is_dir():
        yield Finding("state folder", "note", f"There is no state in {place} yet.", "`noria up` makes it.")
        return
    status = place.stat()
    if status.st_uid != os.geteuid():
        yield Finding(
            "state folder",
            "wrong",
            f"{place} belongs to another user (uid {status.st_uid}).",
            f"Run Noria as that user, or `chown -R {os.geteuid()} {place}`.",
        )
    elif not os.access(place, os.W_OK | os.X_OK):
        yield Finding("state folder", "wrong", f"{place} cannot be written.", f"`chmod u+rwx {place}`.")
    open_to_others = [
        path
        for path in (place, place / "secret", place / "noria.db", place / "run")
        if path.exists() and stat.S_IMODE(path.stat().st_mode) & 0o077
    ]
    for path in open_to_others:
        mode = "700" if path.is_dir() else "600"
        yield Finding(
            "state folder", "wrong", f"Others on this machine may read {path}.", f"`chmod {mode} {path}`."
        )
    if not open_to_others and os.access(place, os.W_OK):
        yield Finding("state folder", "ok", f"{place} is this user's alone.")


def disk(home: Home) -> Iterator[Finding]:
    """Room where state is written and where weights are kept."""
    for what, path in (("state", home.folder), ("weights", root())):
        place = next(one for one in (path, *path.parents) if one.is_dir())
        usage, counts = shutil.disk_usage(place), os.statvfs(place)
        free = f"{usage.free / 1e9:.1f} GB of {usage.total / 1e9:.0f} GB are free for {what} in {path}"
        if counts.f_files and not counts.f_favail:
            yield Finding(
                "disk",
                "wrong",
                f"No file can be made for {what} in {path}: inodes are used up.",
                "Delete files.",
            )
        elif usage.free < min(SCARCE_BYTES, usage.total * SCARCE_SHARE):
            todo = (
                "Make room, or shorten retention in [telemetry]; calls are refused when it is full."
                if what == "state"
                else "Make room, `noria model remove` what is not served, or set NORIA_CACHE to another disk."
            )
            yield Finding("disk", "wrong", f"Only {free}.", todo)
        else:
            yield Finding("disk", "ok", f"{free}.")


def parts(config: Config) -> Iterator[Finding]:
    """Optional dependencies that the configuration needs."""
    kinds = {engine.kind for engine in config.engines.values()}
    wanted: list[tuple[str, str, str]] = []
    if "chat" in kinds:
        wanted.append(("xllamacpp", "local", "A local chat model"))
    if kinds - {"chat"}:
        wanted += [
            (module, "local", "A local encoder or reranker") for module in ("onnxruntime", "tokenizers")
        ]
    if config.blobs.url is not None:
        wanted.append(("obstore", "objects", "Keeping large values in a bucket"))
    if config.cache.valkey is not None:
        wanted.append(("valkey", "valkey", "A cache in Valkey"))
    if config.access.oidc is not None:
        wanted.append(("joserfc", "oidc", "Signing in through OpenID Connect"))
    missing = {extra: why for module, extra, why in wanted if find_spec(module) is None}
    for extra, why in missing.items():
        yield Finding(
            "parts", "wrong", f"{why} needs a part that is not installed.", f"`pip install 'noria[{extra}]'`."
        )
    if find_spec("dbos") is None:
        yield Finding(
            "parts",
            "note",
            "Long work such as pulls from the page needs a part that is not installed.",
            "`pip install 'noria[jobs]'` where you want it.",
        )
    if not missing:
        yield Finding("parts", "ok", "Every part that noria.toml needs is installed.")


def clock(home: Home, found: Sequence[Finding]) -> Iterator[Finding]:
    """Against the servers that were asked, and against what was written here before."""
    skews = [one.skew_s for one in found if one.skew_s is not None]
    skew = min(skews, key=abs, default=0.0)
    if abs(skew) > SKEW_S:
        side = "ahead of" if skew > 0 else "behind"
        yield Finding(
            "clock", "wrong", f"This machine's clock is {abs(skew):.0f} s {side} the providers'.", _SET
        )
        return
    newest = max((_modified(path) for path in home.folder.glob("*.db*")), default=0.0)
    late = newest - time.time()
    if late > SKEW_S:
        yield Finding(
            "clock", "wrong", f"This machine's clock is at least {late:.0f} s behind what is recorded.", _SET
        )
    elif skews:
        yield Finding("clock", "ok", f"The clock is within {abs(skew):.0f} s of the providers'.")
    else:
        yield Finding("clock", "ok", "The clock is not behind what is recorded; no server was asked.")


_SET = "Set it, and keep it set: `timedatectl set-ntp true`; keys, budgets and signatures go by it."


def _modified(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except FileNotFoundError:
        return 0.0
