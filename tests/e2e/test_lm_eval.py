"""`lm_eval --model local-completions` gives the same score through the gateway as straight from the engine.

lm-eval has an environment of its own in this user's cache folder, made once (no torch); where it cannot be
made, the test is skipped. Its tokenizer is made from the engine's own weights.
"""

import asyncio
import csv
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from noria.providers.engine import resolve_engine
from noria.providers.weights import pull
from noria.storage.home import Home
from noria.testing.inline import InlineGateway

sys.path.insert(0, str(Path(__file__).parent))
from local_engine import MODEL, NAME, config, engine
from sdist import CACHE

pytestmark = [pytest.mark.slow, pytest.mark.weights, pytest.mark.timeout(1500)]
NEEDS = ("lm-eval[api]==0.4.13", "transformers>=5,<6")
SHARED = Path(__file__).parents[3] / "shared" / "data" / "truthfulqa" / "TruthfulQA.csv"
QUESTIONS = 12
OWN = [
    {"question": "What colour is the sky?", "choices": ["Blue on a clear day", "Green on a clear day"]},
    {"question": "How many legs has a dog?", "choices": ["Four", "Seven"]},
    {"question": "Is fire hot?", "choices": ["Yes, it is hot", "No, it is cold"]},
]
SCORED = """
task: scored
dataset_path: json
dataset_kwargs: {{data_files: {{test: "{questions}"}}}}
test_split: test
output_type: multiple_choice
doc_to_text: "Q: {{{{question}}}}\\nA:"
doc_to_choice: "{{{{choices}}}}"
doc_to_target: 0
metric_list: [{{metric: acc}}, {{metric: acc_norm}}]
"""
WRITTEN = """
task: written
dataset_path: json
dataset_kwargs: {{data_files: {{test: "{questions}"}}}}
test_split: test
output_type: generate_until
doc_to_text: "Q: {{{{question}}}}\\nA:"
doc_to_target: "{{{{choices[0]}}}}"
generation_kwargs: {{until: ["\\n"], max_gen_toks: 8}}
metric_list: [{{metric: exact_match}}]
"""


def lm_eval() -> Path:
    """The interpreter that has lm-eval; skips the test where it cannot be had."""
    folder = CACHE / "lm-eval-0.4.13"
    python = folder / "bin" / "python"
    if (folder / "whole").exists():
        return python
    for command in (
        [sys.executable, "-m", "venv", "--clear", str(folder)],
        [str(python), "-m", "pip", "install", "-q", *NEEDS],
    ):
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            pytest.skip(f"lm-eval cannot be installed: {done.stderr.strip().splitlines()[-1:]}")
    (folder / "whole").touch()
    return python


def make_tokenizer(folder: Path) -> None:
    """Hugging Face's files for the vocabulary within the engine's weights."""
    from gguf import GGUFReader
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

    fields = GGUFReader(pull(NAME)).fields
    tokens: list[str] = fields["tokenizer.ggml.tokens"].contents()
    kinds: list[int] = fields["tokenizer.ggml.token_type"].contents()
    merges = [tuple(one.split(" ")) for one in fields["tokenizer.ggml.merges"].contents()]
    made = Tokenizer(models.BPE({token: at for at, token in enumerate(tokens)}, merges))
    digits = pre_tokenizers.Digits(individual_digits=True)
    made.pre_tokenizer = pre_tokenizers.Sequence([digits, pre_tokenizers.ByteLevel(add_prefix_space=False)])
    made.decoder = decoders.ByteLevel()
    control = [token for token, kind in zip(tokens, kinds, strict=True) if kind == 3]
    made.add_special_tokens([AddedToken(token, special=True) for token in control])
    folder.mkdir()
    made.save(str(folder / "tokenizer.json"))
    named = {
        f"{name}_token": tokens[fields[f"tokenizer.ggml.{name}_token_id"].contents()]
        for name in ("bos", "eos")
    }
    (folder / "tokenizer_config.json").write_text(
        json.dumps({"tokenizer_class": "PreTrainedTokenizerFast", "model_max_length": 2048, **named})
    )


def make_tasks(folder: Path) -> None:
    folder.mkdir()
    found = OWN
    if SHARED.exists():
        with SHARED.open(newline="") as file:
            rows = list(csv.DictReader(file))[:QUESTIONS]
        found = [
            {
                "question": row["Question"],
                "choices": [row["Best Answer"], *row["Incorrect Answers"].split("; ")[:2]],
            }
            for row in rows
        ]
    questions = folder / "questions.jsonl"
    questions.write_text("\n".join(map(json.dumps, found)))
    (folder / "scored.yaml").write_text(SCORED.format(questions=questions))
    (folder / "written.yaml").write_text(WRITTEN.format(questions=questions))


async def score(python: Path, folder: Path, url: str, key: str, model: str, out: str) -> Any:
    """lm-eval's results and, by question, what they were made of."""
    options = {
        "model": model,
        "base_url": f"{url}/completions",
        "tokenizer": folder / "tokenizer",
        "tokenizer_backend": "huggingface",
        "num_concurrent": 1,
        "max_retries": 1,
        "max_length": 2048,
    }
    command = [str(python), "-m", "lm_eval", "--model", "local-completions", "--tasks", "scored,written"]
    command += ["--model_args", ",".join(f"{name}={value}" for name, value in options.items())]
    command += ["--include_path", str(folder / "tasks"), "--output_path", str(folder / out), "--log_samples"]
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
    [results] = (folder / out).rglob("results_*.json")
    samples = {
        path.name.split("_")[1]: [json.loads(line)["resps"] for line in path.read_text().splitlines()]
        for path in (folder / out).rglob("samples_*.jsonl")
    }
    return json.loads(results.read_text())["results"], samples


async def test_the_score_is_the_engines_own(tmp_path: Path) -> None:
    python = await asyncio.to_thread(lm_eval)
    make_tokenizer(tmp_path / "tokenizer")
    make_tasks(tmp_path / "tasks")
    folder = tmp_path / "home"
    with engine(folder):
        url, key = resolve_engine("local", Home(folder))
        straight = await score(python, tmp_path, url, key, NAME, "straight")
        async with InlineGateway(folder, config()) as noria:
            through = await score(python, tmp_path, noria.url + "/v1", noria.token, MODEL, "through")
            calls = noria.calls()
    print(straight[0], "\n", through[0])
    assert len(calls) >= 2 * len(OWN)
    assert {call.status for call in calls} == {200}
    assert set(straight[1]) == {"scored", "written"}
    assert through == straight
