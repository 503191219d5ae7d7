import socket
from pathlib import Path

import pytest

from noria.errors import StateError
from noria.models.weights import known
from noria.providers.engine import EngineSpec, command, read, reserve, resolve_engine, spec_of
from noria.storage.home import Home


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


def test_an_engine_keeps_its_address_and_key_when_started_again(home: Home) -> None:
    first = reserve("local", home)
    assert reserve("local", home) == first
    assert resolve_engine("local", home) == (f"http://127.0.0.1:{first.port}/v1", first.key)
    assert (home.run / "engine-local.json").stat().st_mode & 0o777 == 0o600


def test_a_port_that_is_taken_is_given_up_for_another(home: Home) -> None:
    first = reserve("local", home)
    with socket.socket() as other:
        other.bind(("127.0.0.1", first.port))
        other.listen()
        again = reserve("local", home)
    assert again.port != first.port


def test_two_engines_have_each_their_own(home: Home) -> None:
    assert reserve("a", home).key != reserve("b", home).key


def test_an_engine_that_never_ran_is_named(home: Home) -> None:
    assert read("none", home) is None
    with pytest.raises(StateError, match="noria up"):
        resolve_engine("none", home)


def test_the_command_line_has_no_secret(home: Home, tmp_path: Path) -> None:
    file = reserve("local", home)
    spec = EngineSpec(
        name="local",
        model="m",
        weights=Path("/w.gguf"),
        adapters={"a": Path("/a.gguf")},
        threads=1,
        system="Be kind.",
    )
    given = command(spec, tmp_path)
    assert file.key not in " ".join(given)
    assert given[1:3] == ("-m", "noria.server.engine")
    assert "a=/a.gguf" in given and "--context" not in given


def test_the_configuration_overrules_what_suits_the_weights() -> None:
    def made(threads: int | None) -> EngineSpec:
        return spec_of(
            "local",
            Path("/w.gguf"),
            known("smollm2-135m-instruct"),
            model="m",
            kind="chat",
            adapters={},
            threads=threads,
            context=None,
            parallel=None,
        )

    assert (made(None).threads, made(4).threads) == (1, 4)
    assert made(None).context == 8192 and made(None).system
