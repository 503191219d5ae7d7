"""Writing a Config back: nothing is lost, and what is the same keeps its comments."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from noria.config import Config, load
from noria.config.rules import findings
from noria.config.write import rewritten, write
from noria.errors import ConfigError

names = st.text("abcxyz019", min_size=1, max_size=6)
durations = st.sampled_from(["250ms", "1s", "30s", "5m", "12h", "7d"])
money = st.decimals(0, 1000, places=4, allow_nan=False).map(str)
paths = st.sampled_from(["a.pem", "../b.pem", "deep/c.pem", "/abs/d.pem", "./e.pem"])
words = st.text(min_size=0, max_size=8)


def some(fixed: dict[str, Any], **optional: Any) -> Any:
    return st.fixed_dictionaries(fixed, optional=optional)


limits = st.lists(
    st.one_of(
        st.fixed_dictionaries({"requests": st.integers(1, 10**9), "per": st.just("1m")}),
        st.fixed_dictionaries({"money": money, "per": st.sampled_from(["1s", "2h"]), "name": names}),
    ),
    max_size=3,
)
timeouts = some({}, connect=durations, first_token=durations, gap=durations, total=durations)
target = st.one_of(
    st.integers(0, 999).map(lambda n: f"one/m{n}"),
    some(
        {"model": st.integers(0, 999).map(lambda n: f"two/m{n}"), "weight": st.floats(0.5, 9)},
        timeouts=timeouts,
        when=some({}, tags=st.dictionaries(names, words, max_size=2), max_input_tokens=st.integers(0, 99)),
        max_concurrency=st.integers(1, 9),
    ),
)
configs = some(
    {
        "providers": st.fixed_dictionaries(
            {"one": st.just({"preset": "vllm"}), "two": st.just({"preset": "ollama"})}
        )
    },
    server=some(
        {}, port=st.integers(0, 9999), workers=st.integers(1, 8), max_body=st.sampled_from(["1MiB", "3kB"])
    ),
    engines=st.dictionaries(
        names.map(lambda name: f"e-{name}"),
        some(
            {"weights": names.map(lambda name: f"file:{name}/w.gguf")}, adapters=st.dictionaries(names, paths)
        ),
        max_size=1,
    ),
    models=st.dictionaries(
        names.map(lambda name: f"one/{name}"),
        some(
            {},
            price=some({"input": money, "output": money}, date=words),
            context=st.integers(1, 999),
            capabilities=st.lists(st.sampled_from(["chat", "tools"]), max_size=2, unique=True),
        ),
        max_size=2,
    ),
    routes=st.dictionaries(
        st.text("ab/.:-", min_size=0, max_size=4).map(lambda tail: "r" + tail),
        some(
            {
                "targets": st.lists(target, min_size=1, max_size=3, unique_by=lambda one: str(one)),
                "strategy": st.just("weighted"),
            },
            timeouts=timeouts,
            cache=some({"ttl": st.sampled_from(["1s", "1h"])}, max_size=st.just("2KiB")),
            capture=st.sampled_from(["full", "metadata", 0.1, 1]),
            fallback_on=st.lists(st.sampled_from(["connect", "timeout"]), max_size=2, unique=True),
            limits=limits,
            backoff=durations,
        ),
        max_size=3,
    ),
    budgets=st.dictionaries(
        names, some({"amount": money}, hard=st.booleans(), warn_at=st.floats(0.1, 1)), max_size=2
    ),
    limits=some({}, keys=limits),
    telemetry=some(
        {},
        retention=some({}, days=st.integers(1, 99), size=st.just("1GiB")),
        export=st.dictionaries(
            names,
            some(
                {"endpoint": st.just("https://o.example")}, headers=st.just({"x-a": "file:t"}), ca_file=paths
            ),
            max_size=2,
        ),
    ),
    access=some(
        {},
        require_key=st.booleans(),
        oidc=some(
            {
                "issuer": st.just("https://id.example"),
                "client_id": words,
                "client_secret": st.just("env:S"),
                "default_role": st.just("viewer"),
            },
            roles=st.dictionaries(names, st.sampled_from(["viewer", "admin"]), max_size=2),
        ),
    ),
    blobs=some({}, folder=paths),
)


def valid(data: dict[str, Any]) -> bool:
    return not findings(Config.model_validate(data))


many = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))


@many
@given(configs.filter(valid))
def test_what_is_written_afresh_is_read_again(
    tmp_path_factory: pytest.TempPathFactory, data: dict[str, Any]
) -> None:
    config = Config.model_validate(data)
    root = tmp_path_factory.mktemp("w") / "noria.toml"
    write(config, root)
    again = load(root)
    assert again == config
    assert again.digest == config.digest
    assert rewritten(config, root) == {}


@many
@given(configs.filter(valid), configs.filter(valid), st.sampled_from(["providers", "routes", "telemetry"]))
def test_what_is_written_over_files_is_read_again(
    tmp_path_factory: pytest.TempPathFactory, old: dict[str, Any], new: dict[str, Any], apart: str
) -> None:
    root = tmp_path_factory.mktemp("w") / "noria.toml"
    inner = root.parent / "conf" / "part.toml"
    inner.parent.mkdir()
    write(Config.model_validate({apart: old[apart]} if apart in old else {}), inner)
    write(Config.model_validate({key: value for key, value in old.items() if key != apart}), root)
    root.write_text('include = ["conf/*.toml"]\n' + root.read_text())
    config = Config.model_validate(new)
    write(config, root)
    assert load(root) == config


TEXT = """# Ours.
include = ["more/*.toml"]

[server] # here
port = 8400  # the usual port
workers = 2

# Both providers.
[providers.vllm]
models = ["a"]

[providers.ollama] # the laptop
base_url = "http://127.0.0.1:11434/v1"

[routes.fast]  # first choice
# order matters
targets = ["vllm/a"]
retries = 3 # tried

[routes.fast.timeouts]
total = "30s"

[[routes.slow.targets]]
model = "ollama/b"
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "m.toml").write_text(
        '# apart\n[providers.groq]\napi_key = "file:k" # a key\nca_file = "ca.pem"\n'
    )
    (tmp_path / "noria.toml").write_text(TEXT)
    return tmp_path / "noria.toml"


def edited(config: Config, **sections: Any) -> Config:
    data = config.written()
    for name, change in sections.items():
        data[name] = change(data.get(name, {}))
    return Config.model_validate(data)


def test_the_same_config_changes_no_file(root: Path) -> None:
    before = root.read_text()
    assert write(load(root), root) == []
    assert root.read_text() == before


def test_an_edit_touches_its_own_line_only(root: Path) -> None:
    config = edited(
        load(root),
        routes=lambda routes: {**routes, "fast": {**routes["fast"], "retries": 5, "queue_timeout": "1s"}},
    )
    assert write(config, root) == [root]
    before, after = TEXT.splitlines(), root.read_text().splitlines()
    assert [line for line in after if line not in before] == ["retries = 5", 'queue_timeout = "1s"']
    assert [line for line in before if line not in after] == ["retries = 3 # tried"]
    assert load(root) == config


def test_entries_come_and_go_and_others_keep_their_comments(root: Path) -> None:
    config = edited(
        load(root),
        providers=lambda found: {name: one for name, one in found.items() if name != "ollama"},
        routes=lambda found: {"fast": found["fast"], "new": {"targets": [{"model": "groq/x"}]}},
        budgets=lambda found: {"all": {"amount": "5"}},
    )
    write(config, root)
    text = root.read_text()
    assert load(root) == config
    assert "ollama" not in text and "[routes.new]" in text and "[budgets.all]" in text
    assert "# the usual port" in text and "# first choice" in text and "# order matters" in text


def test_what_another_file_says_is_changed_there(root: Path) -> None:
    config = edited(
        load(root), providers=lambda found: {**found, "groq": {**found["groq"], "ca_file": "other.pem"}}
    )
    other = root.parent / "more" / "m.toml"
    assert write(config, root) == [other]
    assert 'ca_file = "../other.pem"' in other.read_text()
    assert "# a key" in other.read_text()
    assert load(root) == config


def test_files_with_mistakes_are_not_overwritten(root: Path) -> None:
    config = load(root)
    root.write_text("[server\n")
    with pytest.raises(ConfigError, match="not valid TOML"):
        write(config, root)
    assert root.read_text() == "[server\n"
