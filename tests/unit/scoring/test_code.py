"""Code that models wrote: what passes passes, and what would escape does not."""

from __future__ import annotations

import asyncio
import gzip
import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from noria.scoring.code.sandbox import run
from noria.scoring.resolve import resolve
from noria.scoring.scorer import Output, ScorerSpec

Make = Callable[..., Output]


async def outcome(program: str, *, timeout: float = 5.0) -> tuple[str, str]:
    ran = await run(program, timeout=timeout, megabytes=256)
    return ran.outcome, ran.said


async def test_programs_run() -> None:
    assert await outcome("import math, collections, re, json, datetime\nassert math.sqrt(4) == 2") == (
        "passed",
        "",
    )
    assert await outcome("assert 1 == 2, 'no'") == ("raised", "AssertionError: no at line 1")
    assert (await outcome("def f(:"))[1].startswith("SyntaxError")
    assert await outcome("import sys; sys.exit(0)") == ("ended", "SystemExit: 0")
    assert await outcome("open('a.txt', 'w').write('x'); assert open('a.txt').read() == 'x'") == (
        "passed",
        "",
    )
    assert (await outcome("import threading\nt = threading.Thread(target=print); t.start(); t.join()"))[
        0
    ] == "passed"


@pytest.mark.parametrize(
    "program",
    [
        "import socket; socket.socket()",
        "import socket; socket.create_connection(('127.0.0.1', 80))",
        "import os; os.fork()",
        "import os; os.system('true') and exit(1); os.execv('/bin/true', ['true'])",
        "import subprocess; subprocess.run(['true'])",
        "open('/etc/passwd').read()",
        "open('/proc/self/environ').read()",
        "import os; os.listdir('/')",
        "open('/tmp/noria-escaped', 'w')",
        "import os; os.kill(os.getppid(), 9)",
        "import os; os.kill(1, 0)",
        "import os; os.symlink('/etc/passwd', 'p'); open('p').read()",
        "x = bytearray(1 << 30)",
        "import ctypes; assert ctypes.CDLL(None).ptrace(0, 0, 0, 0) == 0",
        "import resource; resource.setrlimit(resource.RLIMIT_AS, (1 << 40, 1 << 40))",
    ],
)
async def test_what_would_escape_is_refused(program: str) -> None:
    found, said = await outcome(program)
    assert found == "raised", (found, said)
    assert not os.access("/tmp/noria-escaped", os.F_OK)


async def test_limits() -> None:
    began = time.monotonic()
    assert (await outcome("while True: pass", timeout=1.0))[0] == "timeout"
    assert (await outcome("import time; time.sleep(60)", timeout=1.0))[0] == "timeout"
    assert time.monotonic() - began < 8
    assert (await outcome("import os; os._exit(0)"))[0] == "killed"
    found, said = await outcome("with open('big', 'wb') as f:\n while True: f.write(b'x' * 1_000_000)")
    assert found in ("raised", "killed"), said
    assert (await outcome("def f(): f()\nf()"))[1].startswith("RecursionError")
    assert (await outcome("print('x' * 10_000_000)")) == ("passed", "")


async def test_what_it_writes_is_bounded() -> None:
    write = "try:\n  while True: os.write(fd, b'x' * 65536)\n except OSError: pass"
    flood = f"import os\nfor fd in range(3, 20):\n {write}"
    began = time.monotonic()
    assert (await outcome(flood, timeout=30.0))[0] == "killed"
    assert time.monotonic() - began < 20


async def test_no_secrets_in_its_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_KEY", "sk-secret")
    assert await outcome("import os; assert 'SECRET_KEY' not in os.environ") == ("passed", "")


async def value(given: Output, **arguments: Any) -> Any:
    (found,) = await resolve(ScorerSpec(type="code", arguments=arguments))(given)
    return found.failed or found.value


async def test_forms_of_an_answer(output: Make) -> None:
    task = {"prompt": "from typing import List\n\ndef add(a: int, b: int) -> int:\n", "entry_point": "add",
            "test": "def check(f):\n    assert f(1, 2) == 3\n"}  # fmt: skip
    assert await value(output("    return a + b\n", metadata=task)) is True
    assert await value(output("    return a - b\n", metadata=task)) is False
    whole = "Sure:\n```python\ndef add(a, b):\n    x: List[int] = [a, b]\n    return sum(x)\n```\nThat is it."
    assert await value(output(whole, metadata=task)) is True
    assert await value(output("```\n    return a + b\n```", metadata=task)) is True
    assert await value(output("import sys\nsys.exit(0)\ndef add(a, b): ...", metadata=task)) is False
    # Models that go on from the prompt leave out the first mark; what follows the last one is prose.
    closed = "def add(a, b):\n    return a + b\n```\n\nThis function adds its arguments."
    assert await value(output(closed, metadata=task)) is True
    cut = "Here it is:\n```python\ndef add(a, b):\n    return a + b"
    assert await value(output(cut, metadata=task)) is True
    # A function that the prompt defines beside is there for a whole answer too.
    task["prompt"] = 'def one():\n    return 1\n\ndef add(a, b):\n    """Adds."""\n'
    helped = "def add(a, b):\n    return a + b * one()"
    assert await value(output(helped, metadata=task)) is True
    assert await value(output("def add(a, b):\n    return a", metadata=task)) is False
    assert "has no `test`" in await value(output("x"))


@pytest.mark.parametrize("step", [8, pytest.param(1, marks=pytest.mark.slow)])
async def test_humaneval(output: Make, data: Path, step: int) -> None:
    with gzip.open(data / "humaneval" / "HumanEval.jsonl.gz", "rt") as file:
        tasks = [json.loads(line) for line in file]
    right = [value(output(task["canonical_solution"], metadata=task)) for task in tasks[::step]]
    wrong = [value(output("    return 'nothing of the kind'\n", metadata=task)) for task in tasks[::8]]
    assert all(found is True for found in await asyncio.gather(*right))
    assert not any(found is True for found in await asyncio.gather(*wrong))
