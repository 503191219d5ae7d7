"""Functions that the tests of `map` name."""

from __future__ import annotations

import os
import time
from pathlib import Path

from msgspec.structs import replace

from noria.core.example import Example
from noria.datasets.curation.fields import noted


def shout(example: Example, *, sign: str = "!") -> Example | None:
    text = example.input["input"]
    if text == "fail":
        raise RuntimeError("on purpose")
    if text == "go":
        return None
    print("a word on stdout")
    return replace(example, input={"input": text.upper() + sign})


def renamed(example: Example) -> Example:
    return replace(example, id=example.id + "x")


def wrong(example: Example) -> str:
    return "no example"


def slow(example: Example, *, log: str) -> Example:
    """Leaves a line of its process and the example, so that tests see what was done how often."""
    with open(log, "a") as file:
        file.write(f"{os.getpid()} {example.id}\n")
    time.sleep(0.01)
    return noted(example, done=Path(log).name)
