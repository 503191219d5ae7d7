"""What workers are given for what was written."""

from decimal import Decimal
from pathlib import Path

import msgspec
import pytest

from noria.access.key import Budget, RateLimit
from noria.config import Config, compile_budgets, compile_snapshot, key_limits, load
from noria.errors import ConfigError
from noria.gateway.snapshot import CacheRule, Condition, Snapshot, Target, Timeouts
from noria.models.card import Card
from noria.models.price import FREE, Price

LISTED = Price(id="list", input=Decimal(1), output=Decimal(2))

TEXT = """
[server]
host = "10.1.2.3"
public = "https://Noria.example.com/x/"
hosts = ["inside.example.com"]
origins = ["https://app.example.com"]
tls_in_front = true
max_body = "1MiB"

[providers.openai]
api_key = "env:OPENAI_API_KEY"
models = ["gpt-5", "gpt-5-mini"]

[providers.eu]
preset = "bedrock"
region = "eu-west-1"
access_key = "env:A"
secret_key = "file:secret"
ca_file = "ca.pem"
forward_headers = ["X-Trace"]

[providers.mine]
dialect = "openai"
base_url = "http://127.0.0.1:9000/v1"

[models."openai/gpt-5"]
max_output = 1000
[models."openai/gpt-5".price]
input = "0.50"
output = 4.5
tiers = [{ above = 200_000, input = 1 }]
date = "2026-11-01"

[models."mine/small"]
upstream = "org/small"
card = "gpt-5"
adapters = { french = "fr-lora" }
price = { input = 0, output = 0 }

[routes.best]
targets = [
    { model = "openai/gpt-5", when = { tags = { tier = "gold" }, min_input_tokens = 10 } },
    { model = "openai/gpt-5-mini", timeouts = { total = "5s" }, max_concurrency = 3 },
    "eu/anthropic.claude",
]
timeouts = { connect = "1s" }
cache = { ttl = "1h", max_size = "2KiB" }
capture = 0.25
fallback_on = []
limits = [{ tokens = 1000, per = "1m", name = "shared" }]

[routes.share]
strategy = "weighted"
sticky = "user"
targets = [{ model = "openai/gpt-5", weight = 9 }, { model = "mine/small", weight = 1 }]

[engines.local]
weights = "smollm2-135m-instruct"
adapters = { tone = "tone.gguf" }

[limits]
keys = [{ requests = 60, per = "1m" }, { money = "0.000001", per = "1d" }]

[budgets.team]
amount = "12.5"
subject = "team:*"
per = "week"
warn_at = 0.5

[budgets.named]
amount = 1
hard = false

[telemetry]
capture = "metadata"
"""


def card(name: str, provider: str) -> Card | None:
    return Card(id="openai/gpt-5", name="GPT-5", context=400_000, max_output=9) if name == "gpt-5" else None


def price(name: str, provider: str) -> Price | None:
    return LISTED if provider in ("openai", "bedrock") else None


@pytest.fixture
def config(tmp_path: Path) -> Config:
    (tmp_path / "noria.toml").write_text(TEXT)
    return load(tmp_path)


@pytest.fixture
def snapshot(config: Config, tmp_path: Path) -> Snapshot:
    return compile_snapshot(config, folder=tmp_path, card=card, price=price)


def test_every_model_that_is_named_can_be_called(snapshot: Snapshot) -> None:
    ids = {
        "openai/gpt-5",
        "openai/gpt-5-mini",
        "eu/anthropic.claude",
        "mine/small",
        "local/smollm2-135m-instruct",
        "local/smollm2-135m-instruct:tone",
    }
    assert set(snapshot.models) == ids
    assert set(snapshot.routes) == {"best", "share"} | ids
    assert snapshot.routes["mine/small"].implicit
    assert snapshot.routes["mine/small"].capture == "metadata"
    assert not snapshot.routes["best"].implicit
    assert snapshot.models["local/smollm2-135m-instruct:tone"].upstream == "smollm2-135m-instruct:tone"


def test_a_negotiated_price_goes_before_the_listed_one(snapshot: Snapshot) -> None:
    negotiated = snapshot.models["openai/gpt-5"].price
    assert negotiated is not None
    assert (negotiated.id, negotiated.input, negotiated.output) == (
        "noria.toml:openai/gpt-5:2026-11-01",
        Decimal("0.5"),
        Decimal("4.5"),
    )
    assert negotiated.tiers[0].input == 1
    assert snapshot.models["openai/gpt-5-mini"].price == LISTED
    assert snapshot.models["eu/anthropic.claude"].price == LISTED
    assert snapshot.models["local/smollm2-135m-instruct"].price == FREE


def test_a_card_is_found_and_overridden(snapshot: Snapshot) -> None:
    found = snapshot.models["openai/gpt-5"].card
    assert (found.name, found.context, found.max_output) == ("GPT-5", 400_000, 1000)
    mine = snapshot.models["mine/small"]
    assert (mine.card.name, mine.upstream, mine.aliases) == ("GPT-5", "org/small", {"french": "fr-lora"})
    assert snapshot.models["openai/gpt-5-mini"].card.context is None


def test_providers(snapshot: Snapshot, tmp_path: Path) -> None:
    eu = snapshot.providers["eu"]
    assert eu.base_url == "https://bedrock-runtime.eu-west-1.amazonaws.com"
    assert (eu.dialect, eu.auth, eu.region, eu.options) == (
        "bedrock", "sigv4", "eu-west-1", {"region": "eu-west-1"},
    )  # fmt: skip
    assert eu.secrets == {"access_key": "env:A", "secret_key": f"file:{tmp_path}/secret"}
    assert (eu.ca_file, eu.forward_headers) == (f"{tmp_path}/ca.pem", ("x-trace",))
    assert snapshot.providers["local"].base_url == "engine:local"
    assert snapshot.models["local/smollm2-135m-instruct"].provider == "local"
    assert snapshot.models["local/smollm2-135m-instruct"].aliases == {"tone": "tone"}
    assert snapshot.providers["mine"].secrets == {}


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("[providers.openai]\napi_key='env:K'", "https://api.openai.com/v1"),
        ("[providers.x]\npreset='groq'\napi_key='env:K'", "https://api.groq.com/openai/v1"),
        (
            "[providers.vertex]\ncredentials='env:K'\noptions={project='p', location='us-east5'}",
            "https://us-east5-aiplatform.googleapis.com/v1",
        ),
        (
            "[providers.x]\npreset='vertex-anthropic'\ncredentials='env:K'\n"
            "options={project='p', location='global'}",
            "https://aiplatform.googleapis.com/v1",
        ),
        (
            "[providers.azure]\napi_key='env:K'\noptions={resource='ours'}",
            "https://ours.openai.azure.com",
        ),
    ],
)
def test_a_known_provider_has_its_address(text: str, url: str, tmp_path: Path) -> None:
    (tmp_path / "noria.toml").write_text(text)
    found = compile_snapshot(load(tmp_path), folder=tmp_path, card=card, price=price)
    (provider,) = found.providers.values()
    assert provider.base_url == url


def test_options_say_what_a_server_wants(tmp_path: Path) -> None:
    (tmp_path / "noria.toml").write_text(
        "[providers.openai]\napi_key='env:K'\nask_usage=false\noptions={responses='no'}\n[providers.vllm]"
    )
    found = compile_snapshot(load(tmp_path), folder=tmp_path, card=card, price=price)
    assert found.providers["openai"].options == {
        "max_tokens_field": "max_completion_tokens",
        "responses": "no",
        "ask_usage": "no",
    }
    assert found.providers["vllm"].options == {}


def test_routes(snapshot: Snapshot) -> None:
    best = snapshot.routes["best"]
    assert [target.order for target in best.targets] == [0, 1, 2]
    assert best.targets[0].when == Condition(tags={"tier": "gold"}, min_input_tokens=10)
    assert best.timeouts == Timeouts(connect=1.0)
    assert best.targets[1].timeouts == Timeouts(connect=1.0, total=5.0)
    assert best.targets[1].max_concurrency == 3
    assert best.cache == CacheRule(ttl=3600, max_bytes=2048)
    assert (best.capture, best.fallback_on) == ("0.25", ())
    assert best.limits == (RateLimit("tokens", 1000, 60, "shared"),)
    share = snapshot.routes["share"]
    assert (share.strategy, share.sticky) == ("weighted", "user")
    assert share.targets == (
        Target(model="openai/gpt-5", weight=9.0),
        Target(model="mine/small", weight=1.0),
    )
    assert share.fallback_on[0] == "connect"


def test_the_server(snapshot: Snapshot, config: Config) -> None:
    assert snapshot.hosts == ("10.1.2.3", "inside.example.com", "noria.example.com")
    assert snapshot.origins == ("https://app.example.com",)
    assert (snapshot.max_body, snapshot.require_key, snapshot.anonymous) == (1 << 20, True, None)
    assert snapshot.digest == config.digest


def test_limits_and_budgets(config: Config) -> None:
    assert key_limits(config) == (RateLimit("requests", 60, 60), RateLimit("money", 1000, 86_400))
    assert compile_budgets(config) == {
        "team": Budget("team", "team:*", 12_500_000_000, "week", True, 0.5),
        "named": Budget("named", "budget:named", 1_000_000_000, "month", False, 0.8),
    }


def test_calls_without_a_key_are_those_of_one_principal(tmp_path: Path) -> None:
    (tmp_path / "noria.toml").write_text(
        "[access]\nrequire_key = false\n[limits]\nkeys = [{ requests = 5, per = '1s' }]\n"
    )
    found = compile_snapshot(load(tmp_path), folder=tmp_path, card=card, price=price)
    assert not found.require_key
    assert found.anonymous is not None
    assert (found.anonymous.routes, found.anonymous.limits) == (("*",), (RateLimit("requests", 5, 1),))


@pytest.mark.parametrize("cap", ["[budgets.all]\namount = 5", "[limits]\nkeys = [{ money = 1, per = '1d' }]"])
def test_where_money_is_limited_each_model_needs_a_price(cap: str, tmp_path: Path) -> None:
    (tmp_path / "noria.toml").write_text(f'[providers.vllm]\nmodels = ["a", "b"]\n{cap}\n')
    with pytest.raises(ConfigError) as error:
        compile_snapshot(load(tmp_path), folder=tmp_path, card=card, price=price)
    assert '[models."vllm/a"] needs a `price`' in str(error.value)
    assert '[models."vllm/b"] needs a `price`' in str(error.value)


def test_a_snapshot_survives_its_file(snapshot: Snapshot) -> None:
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(snapshot), type=Snapshot) == snapshot
