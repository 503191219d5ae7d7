"""Real pairs of texts: what a system said, and what was wanted."""

from __future__ import annotations

import csv
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from noria.core.example import Example
from noria.scoring.scorer import Output

Pair = tuple[str, str]
_BESIDE = Path(__file__).resolve().parents[3].parent / "shared" / "data"


@pytest.fixture(scope="session")
def data() -> Path:
    found = Path(os.environ.get("NORIA_DATA", _BESIDE))
    if not found.is_dir():
        pytest.skip("the public data sets are not here; set NORIA_DATA")
    return found


@pytest.fixture(scope="session")
def german(data: Path) -> list[Pair]:
    """1,000 segments of WMT22 English-German: a system's and a person's."""
    folder = data / "wmt22-en-de"
    said = (folder / "generaltest2022.en-de.hyp.PROMT.de").read_text().splitlines()
    wanted = (folder / "generaltest2022.en-de.ref.A.de").read_text().splitlines()
    return list(zip(said, wanted, strict=True))[:1000]


@pytest.fixture(scope="session")
def english(data: Path) -> list[Pair]:
    """1,000 of TruthfulQA: its best answer beside other right and wrong ones."""
    pairs: list[Pair] = []
    with open(data / "truthfulqa" / "TruthfulQA.csv", newline="") as file:
        for row in csv.DictReader(file):
            others = f"{row['Correct Answers']};{row['Incorrect Answers']}".split(";")
            pairs += [(other.strip(), row["Best Answer"]) for other in others if other.strip()]
    return pairs[:1000]


@pytest.fixture
def output() -> Callable[..., Output]:
    def make(text: str = "", expected: Any = None, **more: Any) -> Output:
        about = {name: more.pop(name) for name in ("input", "metadata", "group") if name in more}
        example = Example(id="e", **{"input": {"input": "?"}, **about}, expected=expected)
        return Output(example=example, text=text, **more)

    return make
