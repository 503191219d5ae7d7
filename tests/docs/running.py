"""A Noria that `noria up` started in a folder, as a reader has it."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
import urllib.request
from dataclasses import dataclass
from pathlib import Path

from noria.testing.stack import free_port

READY = 60.0
NORIA = Path(sys.executable).parent / "noria"


@dataclass(frozen=True)
class Running:
    """Answers at `port`; `process` is `noria up`, `written` the noria.toml that it began with."""

    folder: Path
    port: int
    process: subprocess.Popen[bytes]
    written: str

    def reset(self) -> None:
        """The first noria.toml in force again."""
        (self.folder / "noria.toml").write_text(self.written)
        subprocess.run([NORIA, "apply", "--yes"], cwd=self.folder, check=True, capture_output=True)

    def stop(self) -> None:
        """As Ctrl-C; raises where it does not end well."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        assert self.process.wait(timeout=60) == 0, (self.folder / "up.log").read_text()


def start(folder: Path, *, environment: dict[str, str] | None = None) -> Running:
    """`noria up` in `folder`, at a free port instead of that in noria.toml; returns when it answers."""
    port = free_port()
    written = (folder / "noria.toml").read_text().replace("port = 8400", f"port = {port}")
    (folder / "noria.toml").write_text(written)
    with open(folder / "up.log", "wb") as log:
        command = [NORIA, "up", "--workers", "1"]
        process = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log, env=environment)
    running = Running(folder, port, process, written)
    until = time.monotonic() + READY
    while b"Noria answers" not in (folder / "up.log").read_bytes():
        if process.poll() is not None or time.monotonic() > until:
            running.stop()
            logs = [folder / "up.log", *(folder / ".noria" / "logs").glob("*.log")]
            raise AssertionError("\n".join(path.read_text()[-2000:] for path in logs))
        time.sleep(0.05)
    return running


def wait_for_model(port: int, model: str = "default") -> None:
    """Until the local model is loaded and answers."""
    body = f'{{"model": "{model}", "max_tokens": 1, "messages": [{{"role": "user", "content": "Hi"}}]}}'
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/v1/chat/completions",
        data=body.encode(),
        headers={"content-type": "application/json"},
    )
    urllib.request.urlopen(request, timeout=READY).close()
