"""The engine process with real weights, spoken to as any client would."""

import asyncio
import contextlib
import json
import math
import os
import signal
import subprocess
import time
from base64 import b64decode
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from noria.models.weights import known
from noria.models.weights import read as read_manifest
from noria.providers.engine import EngineSpec, command, read, resolve_engine
from noria.providers.weights import export_f16, pull
from noria.runtime.child import LEASH
from noria.storage.home import Home

pytestmark = pytest.mark.weights
MANIFESTS = Path(__file__).parents[1] / "manifests"
NAME = "smollm2-135m-instruct"
TOOLS = [
    {
        "type": "function",
        "function": {
            "name": "get_weather",
            "description": "Weather of a city",
            "parameters": {
                "type": "object",
                "properties": {"city": {"type": "string"}},
                "required": ["city"],
            },
        },
    }
]
HI = [{"role": "user", "content": "Hi"}]


@contextlib.contextmanager
def running(spec: EngineSpec, folder: Path) -> Iterator[httpx2.Client]:
    log = folder / "engine.log"
    with log.open("wb") as opened:
        process = subprocess.Popen(command(spec, folder), stdout=opened, stderr=opened)
    try:
        home = Home(folder)
        until = time.monotonic() + 60
        while (file := read(spec.name, home)) is None or file.pid != process.pid:
            assert process.poll() is None and time.monotonic() < until, log.read_text()
            time.sleep(0.05)
        url, key = resolve_engine(spec.name, home)
        with httpx2.Client(base_url=url, headers={"authorization": f"Bearer {key}"}, timeout=60) as client:
            yield client
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0, log.read_text()


@pytest.fixture(scope="module")
def adapter(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A LoRA that changes what is said: random rows in the first layer's query projection."""
    gguf = pytest.importorskip("gguf")
    import numpy as np

    path = tmp_path_factory.mktemp("adapter") / "noise.gguf"
    random = np.random.default_rng(7)
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_string("general.type", "adapter")
    writer.add_string("adapter.type", "lora")
    writer.add_float32("adapter.lora.alpha", 64.0)
    for layer in range(0, 30, 3):
        writer.add_tensor(
            f"blk.{layer}.attn_q.weight.lora_a", random.normal(size=(8, 576)).astype(np.float32)
        )
        writer.add_tensor(
            f"blk.{layer}.attn_q.weight.lora_b", random.normal(size=(576, 8)).astype(np.float32)
        )
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory, adapter: Path) -> Iterator[httpx2.Client]:
    pytest.importorskip("xllamacpp")
    spec = EngineSpec(
        name="local",
        model=NAME,
        weights=pull(NAME),
        threads=1,
        system=known(NAME).system,
        adapters={"noise": adapter},
    )
    with running(spec, tmp_path_factory.mktemp("home")) as client:
        yield client


def chat(engine: httpx2.Client, **body: Any) -> dict[str, Any]:
    answer = engine.post("chat/completions", json={"messages": HI, "max_tokens": 8, "temperature": 0, **body})
    assert answer.status_code == 200, answer.text
    return answer.json()


def root(client: httpx2.Client | httpx2.AsyncClient, path: str) -> str:
    return str(client.base_url).removesuffix("/v1/") + path


def events(engine: httpx2.Client, path: str, **body: Any) -> list[dict[str, Any]]:
    with engine.stream("POST", path, json={**body, "stream": True}) as answer:
        lines = [line for line in answer.iter_lines() if line.startswith("data: ")]
    assert answer.status_code == 200 and lines[-1] == "data: [DONE]"
    return [json.loads(line[6:]) for line in lines[:-1]]


def test_a_chat_whole_and_streamed_says_the_same_and_counts_the_same(engine: httpx2.Client) -> None:
    made = chat(engine)
    streamed = events(
        engine, "chat/completions", messages=HI, max_tokens=8, temperature=0,
        stream_options={"include_usage": True},
    )  # fmt: skip
    text = "".join(
        chunk["choices"][0]["delta"].get("content") or "" for chunk in streamed if chunk["choices"]
    )
    assert text == made["choices"][0]["message"]["content"]
    assert made["model"] == NAME
    assert streamed[-1]["usage"]["completion_tokens"] == made["usage"]["completion_tokens"] == 8
    counted = engine.post("chat/completions/count", json={"messages": HI}).json()
    assert counted["input_tokens"] == made["usage"]["prompt_tokens"]


def test_a_chat_without_a_system_prompt_gets_ours_and_developer_is_system(engine: httpx2.Client) -> None:
    ours = engine.post("chat/completions/count", json={"messages": HI}).json()
    said = {"role": "developer", "content": known(NAME).system}
    own = engine.post("chat/completions/count", json={"messages": [said, *HI]}).json()
    assert own == ours


def test_every_choice_is_counted(engine: httpx2.Client) -> None:
    made = chat(engine, n=3, temperature=1.0, seed=5)
    assert [choice["index"] for choice in made["choices"]] == [0, 1, 2]
    assert made["usage"]["completion_tokens"] == 24
    assert len({choice["message"]["content"] for choice in made["choices"]}) > 1
    streamed = events(
        engine, "chat/completions", messages=HI, max_tokens=4, n=2, stream_options={"include_usage": True}
    )
    assert {choice["index"] for chunk in streamed for choice in chunk["choices"]} == {0, 1}
    assert streamed[-1]["usage"]["completion_tokens"] == 8


def test_json_schema_and_logprobs(engine: httpx2.Client) -> None:
    schema = {"type": "object", "properties": {"ok": {"type": "boolean"}}, "required": ["ok"]}
    form = {"type": "json_schema", "json_schema": {"name": "x", "schema": schema}}
    made = chat(engine, max_tokens=40, response_format=form)
    assert isinstance(json.loads(made["choices"][0]["message"]["content"])["ok"], bool)
    made = chat(engine, max_tokens=2, logprobs=True, top_logprobs=3)
    tokens = made["choices"][0]["logprobs"]["content"]
    assert len(tokens) == 2 and all(len(token["top_logprobs"]) == 3 for token in tokens)


@pytest.mark.parametrize("choice", ["required", {"type": "function", "function": {"name": "get_weather"}}])
def test_a_required_tool_is_called_whole_and_streamed(engine: httpx2.Client, choice: Any) -> None:
    asked = {
        "messages": [{"role": "user", "content": "Weather in Paris?"}],
        "tools": TOOLS,
        "tool_choice": choice,
    }
    made = chat(engine, max_tokens=60, **asked)["choices"][0]
    call = made["message"]["tool_calls"][0]
    assert made["finish_reason"] == "tool_calls" and call["function"]["name"] == "get_weather"
    assert "city" in json.loads(call["function"]["arguments"])
    streamed = events(engine, "chat/completions", max_tokens=60, temperature=0, **asked)
    deltas = [chunk["choices"][0]["delta"] for chunk in streamed]
    assert any("tool_calls" in delta for delta in deltas)
    assert not any(delta.get("content") for delta in deltas)
    assert streamed[-1]["choices"][0]["finish_reason"] == "tool_calls"
    result = {"role": "tool", "tool_call_id": call["id"], "content": "21 degrees"}
    chat(engine, messages=[*asked["messages"], made["message"], result], tools=TOOLS)


@pytest.mark.slow
def test_a_model_whose_template_knows_tools_calls_them(tmp_path: Path) -> None:
    weights = read_manifest((MANIFESTS / "qwen-coder.toml").read_bytes())["qwen2.5-coder-0.5b-instruct"]
    with running(
        EngineSpec(name="qwen", model="qwen", weights=pull(weights), context=2048), tmp_path
    ) as client:
        asked = {
            "messages": [{"role": "user", "content": "Weather in Paris?"}],
            "tools": TOOLS,
            "max_tokens": 80,
        }
        for choice in ("auto", "required"):
            made = chat(client, **asked, tool_choice=choice)
            call = made["choices"][0]["message"]["tool_calls"][0]
            assert json.loads(call["function"]["arguments"]) == {"city": "Paris"}
            assert (
                made["choices"][0]["finish_reason"] == "tool_calls"
                and made["usage"]["completion_tokens"] < 60
            )
        must = {
            **asked,
            "messages": [{"role": "user", "content": "Hello, who are you?"}],
            "tool_choice": "required",
        }
        assert chat(client, **must)["choices"][0]["message"]["tool_calls"]


def test_echo_scores_the_prompt_as_lm_eval_reads_it(engine: httpx2.Client) -> None:
    text = "The capital of France is Paris."
    body = {"prompt": text, "max_tokens": 1, "temperature": 0, "echo": True, "logprobs": 1}
    made = engine.post("completions", json=body).json()
    scored = made["choices"][0]["logprobs"]
    assert made["choices"][0]["text"].startswith(text)
    assert "".join(scored["tokens"][:-1]) == text
    assert [
        text[at:][: len(token)] for at, token in zip(scored["text_offset"], scored["tokens"], strict=True)
    ][:-1] == scored["tokens"][:-1]
    assert scored["token_logprobs"][0] is None and scored["top_logprobs"][0] is None
    assert scored["token_logprobs"][5] == max(scored["top_logprobs"][5].values())
    assert made["usage"] | {"prompt_tokens_details": None} == {
        "prompt_tokens": 7, "completion_tokens": 1, "total_tokens": 8, "prompt_tokens_details": None,
    }  # fmt: skip
    ids = engine.post(root(engine, "/tokenize"), json={"content": text}).json()["tokens"]
    both = engine.post("completions", json={**body, "prompt": [ids, ids[:3]], "max_tokens": 0}).json()
    again = both["choices"][0]["logprobs"]["token_logprobs"]
    assert again[1:] == pytest.approx(scored["token_logprobs"][1:-1], abs=0.02)
    assert both["choices"][0]["text"] == text and len(both["choices"][1]["logprobs"]["tokens"]) == 3
    assert both["usage"]["prompt_tokens"] == 10 and both["usage"]["completion_tokens"] == 0


def test_a_prompt_with_end_marks_is_scored(engine: httpx2.Client) -> None:
    text = "<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n"
    body = {"prompt": text, "max_tokens": 0, "echo": True, "logprobs": 0}
    scored = engine.post("completions", json=body).json()["choices"][0]["logprobs"]
    assert "".join(scored["tokens"]) == text and scored["top_logprobs"] is None
    assert all(math.isfinite(value) and value < 0 for value in scored["token_logprobs"][1:])


def test_completions_streamed_with_several_prompts(engine: httpx2.Client) -> None:
    made = events(
        engine, "completions", prompt=["One", "Two"], max_tokens=3, echo=True, logprobs=1, temperature=0,
        stream_options={"include_usage": True},
    )  # fmt: skip
    texts = ["", ""]
    for chunk in made:
        for choice in chunk["choices"]:
            texts[choice["index"]] += choice["text"]
    whole = engine.post(
        "completions", json={"prompt": ["One", "Two"], "max_tokens": 3, "echo": True, "temperature": 0}
    ).json()
    assert texts == [choice["text"] for choice in whole["choices"]]
    assert made[-1]["usage"]["completion_tokens"] == whole["usage"]["completion_tokens"] == 6


def test_an_adapter_by_name_changes_the_answer_and_nothing_else_does(engine: httpx2.Client) -> None:
    plain = chat(engine)["choices"][0]["message"]["content"]
    adapted = chat(engine, model=f"local/{NAME}:noise")["choices"][0]["message"]["content"]
    assert adapted != plain
    assert chat(engine, lora=["noise"])["choices"][0]["message"]["content"] == adapted
    assert chat(engine, lora=[{"name": "noise", "scale": 0}])["choices"][0]["message"]["content"] == plain
    assert chat(engine, model=NAME)["choices"][0]["message"]["content"] == plain
    listed = [model["id"] for model in engine.get("models").json()["data"]]
    assert listed == [NAME, f"{NAME}:noise"]


@pytest.mark.parametrize(
    ("path", "body", "said"),
    [
        ("chat/completions", "garbage", "JSON object"),
        ("chat/completions", "[1]", "JSON object"),
        ("chat/completions", {}, "messages"),
        ("chat/completions", {"messages": []}, "messages"),
        ("chat/completions", {"messages": "x"}, "messages"),
        ("chat/completions", {"messages": [{"role": "robot", "content": "x"}]}, "role"),
        ("chat/completions", {"messages": [{"role": "user"}]}, "content"),
        ("chat/completions", {"messages": HI, "max_tokens": 0}, "max_tokens"),
        ("chat/completions", {"messages": HI, "n": 999}, "n must be"),
        ("chat/completions", {"messages": HI, "temperature": "hot"}, "temperature"),
        ("chat/completions", {"messages": HI, "stream": "yes"}, "stream"),
        ("chat/completions", {"messages": HI, "tools": [{}]}, "tool"),
        ("chat/completions", {"messages": HI, "tools": TOOLS, "tool_choice": "some"}, "tool_choice"),
        ("chat/completions", {"messages": HI, "tools": TOOLS, "tool_choice": {"function": 1}}, "tool_choice"),
        ("chat/completions", {"messages": [{"role": "assistant", "tool_calls": 5}]}, "tool_calls"),
        ("chat/completions", {"messages": HI, "samplers": "required"}, "samplers"),
        ("chat/completions", {"messages": HI, "samplers": ["infill"]}, "samplers"),
        ("chat/completions", {"messages": HI, "stream": True, "grammar": "root ::= ("}, "grammar"),
        (
            "chat/completions",
            {
                "messages": HI,
                "response_format": {"type": "json_schema", "json_schema": {"schema": {"type": "x"}}},
            },
            "schema",
        ),
        ("chat/completions", {"messages": [{"role": "user", "content": "word " * 9000}]}, "8192"),
        (
            "chat/completions",
            {
                "messages": [
                    {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "data:,"}}]}
                ]
            },
            "image",
        ),
        ("completions", {}, "prompt"),
        ("completions", {"prompt": ""}, "empty"),
        ("completions", {"prompt": [[1], "a", 2.5]}, "prompt"),
        ("completions", {"prompt": [10**9]}, "Token ids"),
        ("completions", {"prompt": [10**9, 1], "echo": True, "logprobs": 1}, "Token ids"),
        ("completions", {"prompt": "word " * 9000, "echo": True, "logprobs": 1}, "8192"),
        ("completions", {"prompt": "a", "best_of": 3}, "best_of"),
        ("completions", {"prompt": "a", "suffix": "b"}, "suffix"),
        ("completions", {"prompt": "a", "logprobs": "many"}, "logprobs"),
        ("completions", {"prompt": "a", "lora": 5}, "lora"),
        ("embeddings", {}, "input"),
    ],
)
def test_a_bad_request_gets_400_and_a_sentence(
    engine: httpx2.Client, path: str, body: Any, said: str
) -> None:
    content = body if isinstance(body, str) else json.dumps(body)
    answer = engine.post(path, content=content, timeout=10)
    assert answer.status_code == 400, answer.text
    error = answer.json()["error"]
    assert said in error["message"] and error["type"] == "invalid_request_error"
    assert "json.exception" not in error["message"]


def test_wrong_names_and_keys(engine: httpx2.Client) -> None:
    assert engine.post("chat/completions", json={"messages": HI, "model": "gpt-4"}).status_code == 404
    assert engine.post("chat/completions", json={"messages": HI, "model": f"{NAME}:no"}).status_code == 404
    assert engine.get("nowhere").status_code == 404
    denied = engine.post("chat/completions", json={"messages": HI}, headers={"authorization": "Bearer no"})
    assert denied.status_code == 401 and denied.json()["error"]["code"] == "invalid_api_key"
    assert httpx2.get(root(engine, "/health")).status_code == 200


def test_embeddings_of_the_chat_model(engine: httpx2.Client) -> None:
    made = engine.post("embeddings", json={"input": ["a", "b"], "model": NAME}).json()
    assert [len(one["embedding"]) for one in made["data"]] == [576, 576]
    assert made["usage"]["prompt_tokens"] == 2


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize("path", ["chat/completions", "completions"])
async def test_a_caller_who_hangs_up_frees_the_slot(engine: httpx2.Client, path: str, stream: bool) -> None:
    async with httpx2.AsyncClient(
        base_url=engine.base_url, headers=dict(engine.headers), timeout=60
    ) as client:
        asked = {"messages": HI} if path.startswith("chat") else {"prompt": "Hi", "n": 2}
        body = {**asked, "max_tokens": 2000, "stream": stream, "ignore_eos": True}
        call = asyncio.create_task(client.post(path, json=body))
        while not await busy(client):  # noqa: ASYNC110  # the engine tells nobody
            await asyncio.sleep(0.02)
        call.cancel()
        hung_up = time.monotonic()
        while await busy(client):
            assert time.monotonic() - hung_up < 1.0
            await asyncio.sleep(0.02)


async def test_eight_callers_share_the_batch(engine: httpx2.Client) -> None:
    async with httpx2.AsyncClient(
        base_url=engine.base_url, headers=dict(engine.headers), timeout=60
    ) as client:
        once = {"messages": HI, "max_tokens": 32, "ignore_eos": True}
        before = await decodes(client)
        answers = await asyncio.gather(*(client.post("chat/completions", json=once) for _ in range(8)))
        assert all(answer.json()["usage"]["completion_tokens"] == 32 for answer in answers)
        # 256 tokens one by one would take 256 steps.
        assert await decodes(client) - before < 128


async def decodes(client: httpx2.AsyncClient) -> int:
    """Steps of the engine so far; one step makes a token for each request at work."""
    return await counter(client, "n_decode_total")


async def busy(client: httpx2.AsyncClient) -> int:
    return await counter(client, "requests_processing")


async def counter(client: httpx2.AsyncClient, name: str) -> int:
    metrics = await client.get(root(client, "/metrics"))
    lines = metrics.text.splitlines()
    return int(float(next(line for line in lines if line.startswith(f"llamacpp:{name} ")).split()[1]))


def test_f16_is_made_once_and_served(tmp_path: Path) -> None:
    pytest.importorskip("gguf")
    path = export_f16(pull(NAME))
    assert export_f16(path) == path and path.stat().st_size > 260_000_000
    with running(
        EngineSpec(name="exact", model="f16", weights=path, threads=1, context=512), tmp_path
    ) as client:
        body = {"prompt": list(EXACT), "max_tokens": 0, "echo": True, "logprobs": 1}
        choices = client.post("completions", json=body).json()["choices"]
    for choice, exact in zip(choices, EXACT.values(), strict=True):
        assert choice["logprobs"]["token_logprobs"][1:] == pytest.approx(exact, abs=0.01)


# By transformers 5.23 in float32 on the same F16 file.
EXACT = {
    "The capital of France is Paris.": [-11.5382, -0.3376, -2.4406, -0.4524, -0.2579, -0.3798],
    "def add(a, b):\n    return a + b\n": [
        -7.765, -1.2227, -2.6675, -0.602, -0.0899, -0.1503, -0.5912, -1.7327, -0.1267,
        -0.1138, -0.0304, -0.0947,
    ],
    "A noria is a wheel that a stream turns, and that lifts the stream's own water into a channel above it. "
    "17 of 23 wheels still turn.": [
        -13.8651, -12.0764, -3.2166, -1.4351, -9.2925, -2.2309, -5.3016, -8.8561, -4.8326, -1.6872, -2.8136,
        -4.2191, -10.0145, -1.5824, -4.9573, -3.3028, -3.4898, -3.2076, -2.8368, -2.1899, -6.5047, -6.119,
        -1.0666, -0.3372, -3.2276, -3.5716, -3.6587, -5.089, -2.3633, -1.327, -2.9723, -9.9712, -7.1664,
        -3.2279, -1.6891,
    ],
}  # fmt: skip


def test_an_engine_ends_with_its_supervisor_and_comes_back_at_the_same_address(tmp_path: Path) -> None:
    spec = EngineSpec(name="local", model="m", weights=pull("bge-small-en-v1.5"), kind="encoder")
    home = Home(tmp_path)
    seen: list[tuple[str, str]] = []
    for _ in range(2):
        reading, writing = os.pipe()
        process = subprocess.Popen(
            command(spec, tmp_path), pass_fds=(reading,), env={**os.environ, LEASH: str(reading)}
        )
        os.close(reading)
        until = time.monotonic() + 30
        while (file := read("local", home)) is None or file.pid != process.pid:
            assert time.monotonic() < until
            time.sleep(0.05)
        seen.append(resolve_engine("local", home))
        os.close(writing)
        assert process.wait(10) == 0
    assert seen[0] == seen[1]


def test_weights_that_are_damaged_or_missing_end_the_process_with_a_sentence(tmp_path: Path) -> None:
    cut = tmp_path / "cut.gguf"
    cut.write_bytes(b"GGUF" + os.urandom(100))
    for path in (cut, tmp_path / "none.gguf"):
        spec = EngineSpec(name="local", model="m", weights=path)
        ended = subprocess.run(command(spec, tmp_path), capture_output=True, text=True, timeout=60)
        assert ended.returncode == 2
        assert "noria model pull" in ended.stderr or "pull it again" in ended.stderr
        assert "Traceback" not in ended.stderr


def test_encoder_and_reranker_engines(tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime")
    weights = known("bge-small-en-v1.5")
    spec = EngineSpec(
        name="encoder",
        model=weights.name,
        weights=pull(weights.name),
        kind="encoder",
        query_instruction=weights.query_instruction,
    )
    with running(spec, tmp_path) as client:
        body = {"model": f"local/{weights.name}", "input": ["A cat sat.", "Money."]}
        plain = client.post("embeddings", json=body).json()
        coded = client.post("embeddings", json={**body, "encoding_format": "base64"}).json()
        import numpy as np

        for one, other in zip(plain["data"], coded["data"], strict=True):
            vector = np.frombuffer(b64decode(other["embedding"]), "<f4")
            assert vector == pytest.approx(one["embedding"], abs=1e-6)
        assert plain["usage"]["prompt_tokens"] == 10
        assert client.post("embeddings", json={"input": []}).status_code == 400
        assert client.post("embeddings", json={"input": [[10**6]]}).status_code == 400
        assert client.post("chat/completions", json={"messages": HI}).status_code == 404
    spec = EngineSpec(name="reranker", model="mini", weights=pull("ms-marco-minilm-l-12-v2"), kind="reranker")
    with running(spec, tmp_path) as client:
        body = {
            "query": "What is a cat?",
            "documents": ["Interest rates rose.", {"text": "A cat is an animal."}],
        }
        ranked = client.post("rerank", json={**body, "return_documents": True}).json()["results"]
        assert [one["index"] for one in ranked] == [1, 0]
        assert ranked[0]["document"] == {"text": "A cat is an animal."}
        assert len(client.post("rerank", json={**body, "top_n": 1}).json()["results"]) == 1
        assert client.post("rerank", json={"query": "x", "documents": [5]}).status_code == 400
