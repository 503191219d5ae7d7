"""Runs functions of this folder's tests in processes of their own, executed afresh, and kills them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent


def start(module: str, function: str, *args: str) -> subprocess.Popen[str]:
    """A process that calls `module.function(*args)`; its standard output can be read."""
    code = (
        f"import sys; sys.path.insert(0, {str(HERE)!r}); import {module}; {module}.{function}(*sys.argv[1:])"
    )
    return subprocess.Popen([sys.executable, "-c", code, *args], stdout=subprocess.PIPE, text=True)


def kill(process: subprocess.Popen[str]) -> str:
    """Kill -9; what it had printed."""
    os.kill(process.pid, signal.SIGKILL)
    out, _ = process.communicate()
    return out


def said(process: subprocess.Popen[str]) -> str:
    """The next line that it prints, without the newline."""
    assert process.stdout is not None
    return process.stdout.readline().rstrip("\n")
