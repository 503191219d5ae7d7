"""A whole tensorzero.toml becomes a noria.toml that loads, and nothing is dropped in silence."""

from pathlib import Path

import pytest

from noria.config import Config, load
from noria.config.importers import Converted, from_tensorzero
from noria.errors import ConfigError

FILE = Path(__file__).parent / "tensorzero.toml"


@pytest.fixture(scope="module")
def converted() -> Converted:
    return from_tensorzero(FILE.read_text(), environment={})


def loaded(text: str, folder: Path) -> Config:
    (folder / "noria.toml").write_text(text)
    return load(folder)


@pytest.fixture
def config(converted: Converted, tmp_path: Path) -> Config:
    return loaded(converted.text, tmp_path)


def targets(config: Config, route: str) -> list[tuple[str, float | None, int | None]]:
    return [(one.model, one.weight, one.order) for one in config.routes[route].targets]


def test_models_are_routes_in_the_order_of_their_routing(config: Config) -> None:
    assert targets(config, "gpt") == [
        ("openai/gpt-4o-2024-08-06", None, None),
        ("azure/gpt-4o-eu", None, None),
    ]
    assert targets(config, "flash") == [
        ("vertex/gemini-2.5-flash", None, None),
        ("gemini/gemini-2.5-flash", None, None),
    ]
    assert targets(config, "sonnet") == [("vertex-anthropic/claude-sonnet-4-5@20250929", None, None)]
    assert targets(config, "embed") == [("openai-2/text-embedding-3-small", None, None)]
    timeouts = config.routes["gpt"].timeouts
    assert timeouts and (timeouts.total, timeouts.first_token) == (15, 2.5)
    inner = config.routes["gpt"].targets[1].timeouts
    assert inner and inner.first_token == 0.9
    assert config.routes["gpt"].strategy == "ordered"


def test_functions_are_routes_with_shares(config: Config) -> None:
    assert targets(config, "draft_email") == [
        ("openai/gpt-4o-2024-08-06", 0.8, None),
        ("azure/gpt-4o-eu", 0.8, 1),
        ("mistral/open-mistral-nemo-2407", 0.2, None),
    ]
    route = config.routes["draft_email"]
    assert (route.strategy, route.sticky, route.retries) == ("weighted", "episode", 3)
    assert targets(config, "extract")[0] == ("anthropic/claude-haiku-4-5", None, None)
    assert targets(config, "function/local") == [("groq/llama-3.3-70b", None, None)]


def test_accounts(config: Config) -> None:
    assert config.providers["openai"].headers == {"x-team": "search"}
    assert config.providers["azure"].api_key == "env:AZURE_KEY_EU"
    assert config.providers["anthropic"].api_key == "env:ALT_ANTHROPIC_KEY"
    assert config.providers["mistral"].api_key == "env:OUR_MISTRAL_KEY"
    assert config.providers["vllm"].api_key is None
    assert config.providers["bedrock"].region == "us-east-1"
    assert config.providers["vertex"].credentials == "file:/etc/secrets/gcp.json"


def test_the_gateway(config: Config) -> None:
    assert (config.server.host, config.server.port) == ("127.0.0.1", 3000)
    assert config.access.require_key
    assert [(one.requests, one.tokens, one.per) for one in config.limits.keys] == [
        (100, None, 60),
        (None, 5000, 3600),
    ]


LOST = [
    "gateway.bind_address",
    "gateway.auth",
    "gateway.debug",
    "gateway.observability",
    "gateway.export.otlp",
    "models.gpt.providers.openai.extra_body",
    "models.gpt.providers.openai.extra_headers",
    "models.gpt.providers.azure.api_key_location",
    "models.flash.providers.sage",
    "functions.draft_email.system_schema",
    "functions.draft_email.tools",
    "functions.draft_email.variants.gpt.temperature",
    "functions.draft_email.variants.gpt.system_template",
    "functions.draft_email.variants.best",
    "functions.extract.output_schema",
    "functions.local",
    "functions.local.experimentation.fallback_variants",
    "metrics",
    "tools",
    "rate_limiting.rules[1]",
]


@pytest.mark.parametrize("path", LOST)
def test_what_could_not_be_carried_over_is_listed(path: str, converted: Converted) -> None:
    (found,) = [one for one in converted.lost if one.path == path]
    assert found.reason.endswith(".")


def test_the_environment_gives_addresses(tmp_path: Path) -> None:
    environment = {
        "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "https://otel.example/v1/traces",
        "GCP_VERTEX_CREDENTIALS_PATH": "/keys/g.json",
    }
    text = FILE.read_text().replace('credential_location = "path::/etc/secrets/gcp.json"\n', "")
    config = loaded(from_tensorzero(text, environment=environment).text, tmp_path)
    assert config.telemetry.export["otlp"].endpoint == "https://otel.example"
    assert config.providers["vertex"].credentials == "file:/keys/g.json"


@pytest.mark.parametrize(("text", "words"), [("a = [", "not valid TOML"), ("a = 1", "not TensorZero's")])
def test_another_file_is_refused(text: str, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        from_tensorzero(text, environment={})
