"""What is well-formed and cannot be meant."""

from pathlib import Path

import pytest

from noria.config import check

BASE = """
[providers.openai]
api_key = "env:OPENAI_API_KEY"
region = "us"
[providers.groq]
api_key = "env:GROQ_API_KEY"
models = ["llama-3.3-70b", "qwen3-32b"]
[engines.local]
weights = "smollm2-135m-instruct"
"""

CASES = {
    "unknown provider": (
        '[routes.r]\ntargets = ["openia/gpt-5"]',
        "unknown provider 'openia'; did you mean `openai`?",
    ),
    "not listed": ('[routes.r]\ntargets = ["groq/llama-3.3-70"]', "did you mean `llama-3.3-70b`?"),
    "no engine": (
        '[routes.r]\ntargets = ["local/smollm2"]',
        "no engine serves; did you mean `local/smollm2-135m",
    ),
    "weight 0": (
        '[routes.r]\nstrategy = "weighted"\ntargets = [{model="openai/a", weight=0}]',
        "each has weight 0",
    ),
    "region": ('[routes.r]\nregions = ["eu"]\ntargets = ["openai/a"]', "never reaches 'openai/a'"),
    "no region": (
        '[routes.r]\nregions = ["eu"]\ntargets = ["groq/qwen3-32b"]',
        "does not state its `region`",
    ),
    "contradiction": (
        '[routes.r]\ntargets = [{model="openai/a", when={min_input_tokens=9, max_input_tokens=8}}]',
        "exceeds",
    ),
    "twice": ('[routes.r]\ntargets = ["openai/a", "openai/a"]', "twice"),
    "weight unused": ('[routes.r]\ntargets = [{model="openai/a", weight=9}, "openai/b"]', "without effect"),
    "sticky": (
        '[routes.r]\nstrategy="least_busy"\nsticky="user"\ntargets = ["openai/a"]',
        "`sticky` without effect",
    ),
    "queue": ('[routes.r]\nqueue=4\ntargets = ["openai/a"]', "`max_concurrency` as well"),
    "app": ('[routes."app/x"]\ntargets = ["openai/a"]', "kept for Apps"),
    "open": ('[server]\nhost="0.0.0.0"\npublic="https://a.example"', "tls_in_front"),
    "nameless": ('[server]\nhost="0.0.0.0"\ntls_in_front=true', "no name of it is served"),
    "no key": (
        '[server]\nhost="10.0.0.5"\ntls_in_front=true\n[access]\nrequire_key=false',
        "`require_key` in [access] must be true",
    ),
    "half tls": ('[server]\ntls_cert="c.pem"', "both `tls_cert` and `tls_key`"),
    "unknown preset": ('[providers.x]\npreset="gorq"', "did you mean `groq`?"),
    "no dialect": ('[providers.x]\napi_key="env:X"', "give it `dialect` and `base_url`"),
    "key missing": ("[providers.mistral]", 'lacks `api_key`, such as "env:MISTRAL_API_KEY"'),
    "azure": ('[providers.azure]\napi_key="env:K"', "`resource` in its `options`"),
    "bedrock": ('[providers.bedrock]\naccess_key="env:A"\nsecret_key="env:B"', "needs a `region`"),
    "reserved": ('[providers.local]\npreset="vllm"', "engines use"),
    "same weights": ('[engines.two]\nweights = "hf:org/smollm2-135m-instruct.gguf"', "both serve"),
    "client cert": ('[providers.vllm]\nclient_cert="c.pem"', "both `client_cert` and `client_key`"),
    "no sign-in": ("[access.password]\nenabled=false", "no way to sign in"),
    "oidc": (
        '[access.oidc]\nissuer="https://id.example"\nclient_id="a"\nclient_secret="env:S"',
        "lets nobody in",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_a_rule_that_cannot_be_meant_is_refused(name: str, tmp_path: Path) -> None:
    text, expected = CASES[name]
    path = tmp_path / "noria.toml"
    path.write_text(BASE + text + "\n")
    found = check(path)
    assert found.config is None
    assert [one for one in found.mistakes if expected in one.message], found.mistakes
    assert len(found.mistakes) == 1
    assert found.mistakes[0].line > 9


GOOD = [
    '[routes.r]\ntargets = ["openai/a", "groq/qwen3-32b", "local/smollm2-135m-instruct"]',
    '[routes.r]\nstrategy="weighted"\nsticky="user"\ntargets = [{model="openai/a", weight=0}, "openai/b"]',
    '[routes.r]\ntargets = [{model="openai/a", weight=3, order=0}, {model="openai/b", order=0}, "openai/c"]',
    '[routes.r]\nregions=["us", "local"]\ntargets = ["openai/a", "local/smollm2-135m-instruct"]',
    '[routes.r]\ntargets = [{model="openai/a", when={max_input_tokens=8}}, "openai/a"]',
    '[server]\nhost="0.0.0.0"\npublic="https://a.example"\ntls_in_front=true',
    '[server]\nhost="::1"\n[access]\nrequire_key=false',
    '[providers.work]\ndialect="anthropic"\napi_key="env:K"',
    '[providers.mine]\ndialect="openai"\nbase_url="http://10.0.0.1:8000/v1/"',
    '[providers.vertex]\ncredentials="file:sa.json"\noptions={project="p", location="europe-west4"}',
]


@pytest.mark.parametrize("text", GOOD)
def test_what_can_be_meant_is_taken(text: str, tmp_path: Path) -> None:
    path = tmp_path / "noria.toml"
    path.write_text(BASE + text + "\n")
    assert check(path).mistakes == []
