"""A whole LiteLLM config.yaml becomes a noria.toml that loads, and nothing is dropped in silence."""

from decimal import Decimal
from pathlib import Path

import pytest

from noria.config import Config, compile_budgets, compile_snapshot, load
from noria.config.importers import Converted, from_litellm
from noria.errors import ConfigError
from noria.models.price import Price

FILE = Path(__file__).parent / "litellm.yaml"


@pytest.fixture(scope="module")
def converted() -> Converted:
    return from_litellm(FILE.read_text(), environment={})


def loaded(text: str, folder: Path) -> Config:
    (folder / "noria.toml").write_text(text)
    return load(folder)


@pytest.fixture
def config(converted: Converted, tmp_path: Path) -> Config:
    return loaded(converted.text, tmp_path)


def test_each_model_name_is_a_route(config: Config) -> None:
    assert set(config.routes) == {
        "gpt-4o", "gpt-4", "claude", "mini", "local-llama", "vllm", "bedrock-claude", "gemini-pro",
        "vertex-claude", "embed", "shared",
    }  # fmt: skip


def test_equal_accounts_are_one_provider(config: Config) -> None:
    assert {name: one.base_url for name, one in config.providers.items()} == {
        "azure": "https://eu-1.openai.azure.com",
        "azure-us-1": "https://us-1.openai.azure.com",
        "anthropic": None,
        "openai": None,
        "openai-2": "http://10.0.0.3:8000/v1",
        "openai-3": None,
        "ollama": "http://127.0.0.1:11434/v1",
        "bedrock": None,
        "vertex": None,
        "vertex-anthropic": None,
        "groq": None,
    }
    assert config.providers["bedrock"].secrets() == {
        "access_key": "env:MY_AWS_ID",
        "secret_key": "env:MY_AWS_SECRET",
    }
    assert config.providers["vertex"].options == {"project": "my-project", "location": "europe-west4"}
    assert config.providers["azure"].options == {"api_version": "2024-10-21"}
    assert config.providers["groq"].api_key == "env:TEAM_GROQ_KEY"
    assert config.providers["openai"].headers == {"x-team": "search", "openai-organization": "org-123"}


def test_no_secret_is_carried_over(converted: Converted) -> None:
    for secret in ("sk-literal-secret", "sk-1234", "Bearer abc", "user:pw"):
        assert secret not in converted.text
        assert not any(secret in one.reason for one in converted.lost)


def test_shares_fallbacks_and_limits(config: Config) -> None:
    route = config.routes["gpt-4o"]
    assert [(one.model, one.weight, one.order) for one in route.targets] == [
        ("azure/gpt-4o-eu", 60, None),
        ("azure-us-1/gpt-4o-us", 30, None),
        ("anthropic/claude-sonnet-4-5", None, 1),
    ]
    assert route == config.routes["gpt-4"]
    assert route.strategy == "weighted"
    assert [(one.requests, one.tokens, one.per) for one in route.limits] == [
        (90, None, 60),
        (None, 150_000, 60),
    ]
    assert (route.retries, route.breaker and route.breaker.failures) == (3, 3)
    assert route.breaker and route.breaker.cooldown == 45
    assert route.timeouts and route.timeouts.total == 120
    assert config.routes["mini"].fallback_on and "refused" in config.routes["mini"].fallback_on
    claude = config.routes["claude"].targets[0]
    assert claude.max_concurrency == 8
    assert claude.timeouts and (claude.timeouts.total, claude.timeouts.first_token) == (30, 12.5)


def test_prices_cards_and_money(config: Config, tmp_path: Path) -> None:
    price = config.models["anthropic/claude-sonnet-4-5"].price
    assert price and (price.input, price.output) == (Decimal("2.5"), Decimal("12.5"))
    assert config.models["azure/gpt-4o-eu"].card == "gpt-4o"
    budgets = compile_budgets(config)
    assert (budgets["all"].amount_nano, budgets["all"].window) == (100 * 10**9, "month")
    assert (budgets["each-user"].subject, budgets["each-user"].window) == ("user:*", "total")
    listed = Price(id="list", input=Decimal(1), output=Decimal(1))
    hosted = {"openai", "anthropic", "azure", "bedrock", "vertex", "groq"}
    snapshot = compile_snapshot(
        config,
        folder=tmp_path,
        card=lambda *_: None,
        price=lambda name, kind: listed if kind in hosted else None,
    )
    assert snapshot.models["ollama/llama3.1"].price is not None


def test_the_server(config: Config) -> None:
    assert config.access.require_key
    assert config.server.max_body == 16 << 20
    assert config.cache.valkey == "redis://10.0.0.9:6380"
    assert config.telemetry.capture == "metadata"
    assert config.telemetry.retention.days == 30


LOST = [
    "model_list[2].litellm_params.temperature",
    "model_list[3].litellm_params.api_key",
    "model_list[3].litellm_params.extra_headers.authorization",
    "model_list[10]",
    "model_list[12]",
    "model_list[13]",
    "model_list[14].litellm_params.api_base",
    "fallbacks.gpt-4o",
    "router_settings.model_group_alias.ghost",
    "router_settings.redis_host",
    "router_settings.retry_policy",
    "litellm_settings.drop_params",
    "litellm_settings.success_callback.langfuse",
    "litellm_settings.context_window_fallbacks",
    "general_settings.master_key",
    "general_settings.database_url",
    "general_settings.alerting",
    "environment_variables",
]


@pytest.mark.parametrize("path", LOST)
def test_what_could_not_be_carried_over_is_listed(path: str, converted: Converted) -> None:
    (found,) = [one for one in converted.lost if one.path == path]
    assert found.reason.endswith(".")
    assert f"# Not carried over: {path}: " in converted.text


def test_the_environment_gives_addresses(tmp_path: Path) -> None:
    environment = {"SOME_BASE": "http://10.9.9.9:1/v1/", "OTEL_ENDPOINT": "https://otel.example/v1/traces"}
    config = loaded(from_litellm(FILE.read_text(), environment=environment).text, tmp_path)
    provider = config.routes["env-address"].targets[0].model.partition("/")[0]
    assert config.providers[provider].base_url == "http://10.9.9.9:1/v1"
    assert config.providers[provider].api_key == "env:SOME_KEY"
    assert config.telemetry.export["otel"].endpoint == "https://otel.example"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a: [", "not valid YAML"),
        ("- 1", "no `model_list`"),
        ("x: 1", "no `model_list`"),
        ("", "no `model_list`"),
    ],
)
def test_another_file_is_refused(text: str, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        from_litellm(text, environment={})


def test_the_smallest_file(tmp_path: Path) -> None:
    text = "model_list:\n- model_name: a\n  litellm_params: {model: openai/gpt-5}\n"
    config = loaded(from_litellm(text, environment={}).text, tmp_path)
    assert config.providers["openai"].api_key == "env:OPENAI_API_KEY"
    assert not config.access.require_key
