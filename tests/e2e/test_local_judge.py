"""The small local model as a judge of HateCheck: it does not reach its bar, and the gate says so."""

from __future__ import annotations

import csv
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from noria.client import AsyncNoria
from noria.core.example import Example
from noria.scoring.calls import Calls
from noria.scoring.judge.bar import Bar, may_gate
from noria.scoring.judge.calibration import measure
from noria.scoring.judge.label import Reading, labelled, verdict
from noria.scoring.resolve import described, resolve
from noria.scoring.scorer import ScorerSpec
from noria.testing.inline import InlineGateway

sys.path.insert(0, str(Path(__file__).parent))
from local_engine import MODEL, config, engine

pytestmark = [pytest.mark.weights, pytest.mark.slow, pytest.mark.timeout(400)]
DATA = Path(os.environ.get("NORIA_DATA", Path(__file__).resolve().parents[3] / "shared" / "data"))
CASES = DATA / "hatecheck" / "test_suite_cases.csv"
READING = Reading(answer="test_case", label="label_gold", yes=("hateful",))


@pytest_asyncio.fixture
async def client(tmp_path: Path) -> AsyncIterator[AsyncNoria]:
    with engine(tmp_path / "home"):
        async with InlineGateway(tmp_path / "home", config()) as gateway:
            async with AsyncNoria(gateway.url, gateway.token) as made:
                yield made


@pytest.mark.skipif(not CASES.is_file(), reason="HateCheck is not here; set NORIA_DATA")
async def test_the_small_model_fails_its_bar(client: AsyncNoria) -> None:
    with CASES.open(newline="") as file:
        rows = list(csv.DictReader(file))[::124]
    spec = ScorerSpec(type="judge.toxicity", name="hate", arguments={"model": MODEL, "max_tokens": 80})
    scorer, measures = resolve(spec, calls=Calls(chat=client)), described(spec)[0]
    verdicts = []
    for row in rows:
        example = Example(id=row["case_id"], input={"input": "Say something."}, metadata=dict(row))
        given = labelled(example, measures, reading=READING)
        assert given is not None
        scores = await scorer(given.output)
        verdicts.append(verdict(given, scores, name="hate", repeat=0))
    found = measure(verdicts)
    print(f"\n{found.n} judged, {found.failed} failed, kappa {found.kappa}, {found.table}")
    assert found.n + found.failed == len(rows) and found.n > 0
    gate = may_gate("hate", identity="i", bar=Bar(kappa=0.6), calibrated="i", calibration=found)
    assert gate.verdict == "fail", gate
    assert scores[0].trace
