"""The fenced code blocks of a Markdown page, and how they are run: what a page says is what a reader can do.

A block's info string is its language, and `no-run` where a reader needs what a test has not (a provider's
key, another machine, minutes). A `text` block straight after another is what that one prints: each of its
lines must be in the output.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import tomllib
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from click.testing import CliRunner

from noria.cli.config import check
from noria.testing.stack import free_port

ROOT = Path(__file__).parents[2]
PORT = "8400"
"""The port of Noria that pages write."""
MOCK_PORT = "9901"
"""That of the mock upstream."""
TIMEOUT = 180
"""Seconds after which a block hangs; the local model answers slowly on a busy machine."""
LANGUAGES = {"sh", "python", "toml", "json", "yaml", "text", ""}
_FENCE = re.compile(r"^```(?P<info>[^\n`]*)\n(?P<text>.*?)^```$", re.M | re.S)
_BASE = ROOT / "tests" / "docs" / "base.toml"


@dataclass(frozen=True)
class Block:
    """`language` is the first word of the info string, `runs` whether no `no-run` follows it, `prints` lines
    of which each must be printed."""

    page: Path
    line: int
    language: str
    runs: bool
    text: str
    prints: tuple[str, ...] = ()

    @property
    def where(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"


def blocks(page: Path) -> list[Block]:
    """In the order of the page."""
    whole = page.read_text()
    found: list[Block] = []
    end = 0
    for match in _FENCE.finditer(whole):
        language, _, flags = match["info"].strip().partition(" ")
        assert language in LANGUAGES, f"{page}: {language!r} is not a language that tests know"
        assert flags in ("", "no-run"), f"{page}: {flags!r} is not understood"
        line = whole.count("\n", 0, match.start()) + 1
        if language == "text" and found and not whole[end : match.start()].strip():
            found[-1] = replace(found[-1], prints=tuple(match["text"].splitlines()))
        else:
            found.append(Block(page, line, language, not flags, match["text"]))
        end = match.end()
    return found


class Reader:
    """Does what a page says, in one folder, from top to bottom; what a shell block exports stays."""

    def __init__(self, folder: Path, *, port: int, environment: dict[str, str] | None = None) -> None:
        self.folder = folder
        self._ports = {PORT: str(port), MOCK_PORT: str(free_port())}
        self._groups: list[int] = []
        self._kept = folder / ".environment"
        self._kept.unlink(missing_ok=True)
        self._environment = {
            **os.environ,
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "NO_COLOR": "1",
            "COLUMNS": "120",
            **(environment or {}),
        }

    def follow(self, block: Block) -> str:
        """Do one block, and give what it printed. Raises AssertionError with its line and what went wrong."""
        if not block.runs:
            return ""
        text = re.sub(rf"\b({PORT}|{MOCK_PORT})\b", lambda found: self._ports[found[0]], block.text)
        match block.language:
            case "sh":
                return self._shell(block, text)
            case "python":
                return self._run(block, [sys.executable, "-"], text)
            case "toml":
                return self._check(block, text)
            case "json":
                json.loads(block.text)
        return ""

    def _shell(self, block: Block, text: str) -> str:
        kept = f". {self._kept}\n" if self._kept.exists() else ""
        script = f"set -aeu -o pipefail\n{kept}trap 'export -p > {self._kept}' EXIT\n{text}"
        return self._run(block, ["bash", "-s"], script)

    def _run(self, block: Block, command: list[str], text: str) -> str:
        if block.language == "python" and self._kept.exists():
            command = ["bash", "-c", f'. {self._kept}; exec "$@"', "bash", *command]
        with subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd=self.folder,
            env=self._environment,
            text=True,
            start_new_session=True,
        ) as process:
            self._groups.append(process.pid)
            said, _ = process.communicate(text, timeout=TIMEOUT)
        code = process.returncode
        assert code == 0, f"{block.where} ended with {code}:\n{text}\n{said[-4000:]}"
        for line in block.prints:
            assert line.strip() in said, f"{block.where} does not print {line!r}:\n{said[-4000:]}"
        return said

    def close(self) -> None:
        """End what blocks left running in the background."""
        for group in self._groups:
            with suppress(ProcessLookupError):
                os.killpg(group, signal.SIGTERM)

    def _check(self, block: Block, text: str) -> str:
        """`noria check`, with what of base.toml the block does not say itself."""
        folder = self.folder / "checked"
        folder.mkdir(exist_ok=True)
        (folder / "noria.toml").write_text(text + _missing(text))
        done = CliRunner().invoke(check, ["--config", str(folder / "noria.toml")])
        assert done.exit_code == 0, f"{block.where} is not valid:\n{text}\n{done.output}"
        return done.output


def _missing(text: str) -> str:
    """The sections of base.toml whose names `text` does not define, as TOML."""
    own = tomllib.loads(text)
    found: list[str] = []
    for section in _BASE.read_text().split("\n\n"):
        ((kind, entries),) = tomllib.loads(section).items()
        (name,) = entries
        if name not in own.get(kind, {}):
            found.append(section)
    return "\n" + "\n\n".join(found)
