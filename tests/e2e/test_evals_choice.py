"""Multiple choice by log-probability equals lm-eval's on TruthfulQA; corpus BLEU and chrF equal sacrebleu's.

NORIA_CHOICE_QUESTIONS sets how many questions are asked (200 are what was promised; each is asked by both).
"""

from __future__ import annotations

import asyncio
import csv
import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from noria.client import AsyncNoria
from noria.core.example import Example
from noria.evals.answer import Answer, Judgement
from noria.evals.metrics import metrics
from noria.evals.run import TargetSpec
from noria.evals.sheet import sheet
from noria.evals.store import Kept
from noria.evals.targets.choice import ChoiceTarget
from noria.scoring.resolve import described, resolve
from noria.scoring.scorer import Output, ScorerSpec
from noria.testing.inline import InlineGateway

sys.path.insert(0, str(Path(__file__).parent))
from local_engine import MODEL, config, engine
from test_lm_eval import lm_eval, make_tokenizer

DATA = Path(os.environ.get("NORIA_DATA", Path(__file__).parents[3] / "shared" / "data"))
QUESTIONS = int(os.environ.get("NORIA_CHOICE_QUESTIONS", "200"))
TASK = """
task: mc
dataset_path: json
dataset_kwargs: {{data_files: {{test: "{questions}"}}}}
test_split: test
output_type: multiple_choice
doc_to_text: "Q: {{{{question}}}}\\nA:"
doc_to_choice: "{{{{choices}}}}"
doc_to_target: 0
metric_list: [{{metric: acc}}]
"""


def questions() -> list[dict[str, Any]]:
    path = DATA / "truthfulqa" / "TruthfulQA.csv"
    if not path.exists():
        pytest.skip("the data set truthfulqa is not here")
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))[:QUESTIONS]
    return [
        {
            "question": row["Question"],
            "choices": [
                row["Best Answer"].strip(),
                *(one.strip() for one in row["Incorrect Answers"].split(";")),
            ],
        }
        for row in rows
    ]


@pytest.mark.slow
@pytest.mark.weights
@pytest.mark.timeout(7200)
async def test_choices_and_likelihoods_are_lm_evals(tmp_path: Path) -> None:
    asked = questions()
    python = await asyncio.to_thread(lm_eval)
    make_tokenizer(tmp_path / "tokenizer")
    (tmp_path / "tasks").mkdir()
    file = tmp_path / "tasks" / "questions.jsonl"
    file.write_text("\n".join(map(json.dumps, asked)))
    (tmp_path / "tasks" / "mc.yaml").write_text(TASK.format(questions=file))
    folder = tmp_path / "home"
    with engine(folder):
        async with InlineGateway(folder, config()) as noria:
            theirs = await _lm_eval(python, tmp_path, noria.url + "/v1", noria.token)
            async with AsyncNoria(noria.url, noria.token) as client:
                ours = await _noria(client, asked)
    same, apart = 0, 0.0
    for mine, other in zip(ours, theirs, strict=True):
        assert len(mine) == len(other)
        same += mine.index(max(mine)) == other.index(max(other))
        apart = max(apart, *(abs(a - b) for a, b in zip(mine, other, strict=True)))
    print(f"same choice on {same} of {len(asked)}, log-probabilities at most {apart:.6f} nat apart")
    assert same >= 0.99 * len(asked)
    assert apart < 0.01


async def _noria(client: AsyncNoria, asked: list[dict[str, Any]]) -> list[list[float]]:
    target = ChoiceTarget(TargetSpec(model=MODEL, choices="choices"), client, run="run_test", name="mc")
    found: list[list[float]] = []
    for number, one in enumerate(asked):
        example = Example(
            id=str(number),
            input={"input": f"Q: {one['question']}\nA:"},
            expected=0,
            metadata={"choices": one["choices"]},
        )
        output = await target(example, repeat=0, seed=0)
        assert output.text == one["choices"][output.data["logprobs"].index(max(output.data["logprobs"]))]
        [score] = await resolve(ScorerSpec(type="choice"))(output)
        assert score.value == (output.text == one["choices"][0])
        found.append(output.data["logprobs"])
    return found


async def _lm_eval(python: Path, folder: Path, url: str, key: str) -> list[list[float]]:
    options = {
        "model": MODEL,
        "base_url": f"{url}/completions",
        "tokenizer": folder / "tokenizer",
        "tokenizer_backend": "huggingface",
        "num_concurrent": 1,
        "max_retries": 1,
        "max_length": 2048,
    }
    command = [str(python), "-m", "lm_eval", "--model", "local-completions", "--tasks", "mc"]
    command += ["--model_args", ",".join(f"{name}={value}" for name, value in options.items())]
    command += [
        "--include_path",
        str(folder / "tasks"),
        "--output_path",
        str(folder / "out"),
        "--log_samples",
    ]
    environment = {
        "OPENAI_API_KEY": key,
        "HF_HUB_OFFLINE": "1",
        "HF_DATASETS_OFFLINE": "1",
        "HF_HOME": str(folder / "hf"),
        "TOKENIZERS_PARALLELISM": "false",
    }
    process = await asyncio.create_subprocess_exec(
        *command,
        cwd=folder,
        env={**os.environ, **environment},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await process.communicate()
    assert process.returncode == 0, said.decode()[-4000:]
    [samples] = (folder / "out").rglob("samples_mc_*.jsonl")
    rows = [json.loads(line) for line in samples.read_text().splitlines()]
    rows.sort(key=lambda row: row["doc_id"])
    return [[float(one[0][0]) for one in row["resps"]] for row in rows]


@pytest.mark.timeout(300)
@pytest.mark.parametrize("system", ["Online-A", "Online-B", "OpenNMT", "PROMT"])
async def test_bleu_and_chrf_of_wmt22_are_sacrebleus(system: str) -> None:
    sacrebleu = pytest.importorskip("sacrebleu")
    folder = DATA / "wmt22-en-de"
    if not folder.exists():
        pytest.skip("the data set wmt22-en-de is not here")
    said = (folder / f"generaltest2022.en-de.hyp.{system}.de").read_text().splitlines()
    wanted = (folder / "generaltest2022.en-de.ref.A.de").read_text().splitlines()
    specs = [ScorerSpec(type="bleu"), ScorerSpec(type="chrf")]
    scorers = [resolve(spec) for spec in specs]
    rows: list[Kept] = []
    for number, (text, reference) in enumerate(zip(said, wanted, strict=True)):
        example = Example(id=f"{number:05}", input={}, expected=reference)
        scores = [await scorer(Output(example=example, text=text)) for scorer in scorers]
        rows.append(
            Kept(
                example=example,
                answers=(Answer(example=example.id, revision="", text=text),),
                judgements=tuple(
                    Judgement(example=example.id, scorer=spec.type, scores=tuple(found))
                    for spec, found in zip(specs, scores, strict=True)
                ),
            )
        )
    made = sheet(rows, [one for spec in specs for one in described(spec)])
    bleu, chrf = metrics(made).measures
    assert bleu.interval is not None and chrf.interval is not None
    assert bleu.interval.estimate == pytest.approx(sacrebleu.corpus_bleu(said, [wanted]).score, abs=1e-9)
    assert chrf.interval.estimate == pytest.approx(sacrebleu.corpus_chrf(said, [wanted]).score, abs=1e-9)
    low, high = bleu.interval.low, bleu.interval.high
    assert low is not None and high is not None and low < bleu.interval.estimate < high
