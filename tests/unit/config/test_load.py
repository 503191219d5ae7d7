"""Reading noria.toml: what is refused, and how it is said."""

from pathlib import Path

import pytest

from noria.config import check, load
from noria.errors import ConfigError

PROVIDER = '[providers.openai]\napi_key = "env:OPENAI_API_KEY"\n'


def write(folder: Path, text: str, name: str = "noria.toml") -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def said(folder: Path, text: str) -> list[str]:
    path = write(folder, text)
    return [str(one).replace(f"{folder}/", "") for one in check(path).mistakes]


def test_an_unknown_key_names_its_line_and_the_nearest_key(tmp_path: Path) -> None:
    text = PROVIDER + '\n[routes.fast]\ntargets = ["openai/gpt-5"]\nretrys = 3\n'
    assert said(tmp_path, text) == [
        "noria.toml:6: unknown key `retrys` in [routes.fast]; did you mean `retries`?"
    ]


def test_an_unknown_section_is_refused_with_the_nearest(tmp_path: Path) -> None:
    assert said(tmp_path, "[sever]\nport = 1\n") == [
        "noria.toml:1: unknown key `sever`; did you mean `server`?"
    ]


def test_all_mistakes_are_shown_in_the_order_of_the_file(tmp_path: Path) -> None:
    found = said(
        tmp_path,
        """[server]
port = "8400"
max_body = 100
[providers.openai]
api_key = "sk-secret-value"
[routes.fast]
targets = [
    "openai/gpt-5",
    { model = "openai/gpt-5-mini", weigth = 3 },
]
backoff = 1
strategy = "weigted"
regions = []
[engines.local]
""",
    )
    assert [line.partition(": ")[0] for line in found] == [
        f"noria.toml:{n}" for n in (2, 3, 5, 9, 11, 12, 13, 14)
    ]
    assert "must be a whole number, not '8400'" in found[0]
    assert "size with its unit" in found[1]
    assert "`weigth` in [routes.fast.targets[1]]; did you mean `weight`?" in found[3]
    assert "did you mean `weighted`?" in found[5]
    assert "is empty" in found[6]
    assert "lacks `weights`" in found[7]


def test_a_literal_secret_is_refused_and_not_repeated(tmp_path: Path) -> None:
    (found,) = said(tmp_path, '[providers.openai]\napi_key = "sk-abcdef"\n')
    assert "env:NAME" in found and "sk-abcdef" not in found
    (found,) = said(tmp_path, PROVIDER + 'headers = { Authorization = "Bearer sk-abcdef" }\n')
    assert "carries a secret" in found and "sk-abcdef" not in found
    (found,) = said(tmp_path, '[cache]\nvalkey = "valkey://:pw@host"\n')
    assert "password" in found


def test_a_pattern_says_what_it_wants(tmp_path: Path) -> None:
    (found,) = said(tmp_path, '[server]\nhosts = ["*", "a b"]\n')
    assert found.endswith(
        "`hosts[1]` in [server] has not the form that it must have (a host name or address): 'a b'."
    )
    (found,) = said(tmp_path, '[budgets.a]\namount = 1\nsubject = "teams"\n')
    assert "`team:NAME`" in found
    (found,) = said(tmp_path, "[budgets.a]\namount = 1\nwarn_at = 2\n")
    assert found.endswith("`warn_at` in [budgets.a] must be at most 1, not 2.")


def test_every_kind_of_mistake_is_one_sentence(tmp_path: Path) -> None:
    found = said(
        tmp_path,
        """server = 1
routes = []
[providers]
x = "y"
[providers.z]
preset = 3
headers = { "a b" = "c", d = 1 }
forward_headers = "x"
options = { a = 1 }
[models]
gpt = {}
[budgets]
a = { amount = -1 }
b = { amount = "x", hard = "yes" }
[limits]
keys = [{ per = "1m" }, { requests = 1, tokens = 1, per = "1m" }, { requests = 1, per = "1ms" }, 3]
""",
    )
    assert all(line.startswith("noria.toml:") and line.endswith(".") for line in found)
    assert len(found) == 16, "\n".join(found)
    assert not any("input" in line.lower() or "pydantic" in line for line in found), found


def test_toml_that_is_no_toml_names_its_line(tmp_path: Path) -> None:
    (found,) = said(tmp_path, "[server]\nport = \n")
    assert found.startswith("noria.toml:2: is not valid TOML")


def test_a_missing_file_says_what_writes_one(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="noria init"):
        load(tmp_path)


def test_included_files_are_read_and_their_paths_rebased(tmp_path: Path) -> None:
    write(tmp_path, 'include = ["conf.d/*.toml", "one.toml"]\n' + PROVIDER)
    write(tmp_path, '[providers.groq]\napi_key = "file:keys/groq"\nca_file = "../ca.pem"\n', "conf.d/a.toml")
    write(tmp_path, 'include = ["deep/*.toml"]\n[engines.e]\nweights = "file:w.gguf"\n', "one.toml")
    write(tmp_path, '[engines.f]\nweights = "file:w2.gguf"\n', "deep/b.toml")
    config = load(tmp_path)
    assert config.providers["groq"].api_key == "file:conf.d/keys/groq"
    assert config.providers["groq"].ca_file == "ca.pem"
    assert config.engines["e"].weights == "file:w.gguf"
    assert config.engines["f"].weights == "file:deep/w2.gguf"


def test_the_same_thing_in_two_files_is_an_error_that_names_both(tmp_path: Path) -> None:
    path = write(tmp_path, 'include = ["b.toml"]\n' + PROVIDER + "[server]\nport = 1\n")
    write(tmp_path, PROVIDER + "[server]\nworkers = 2\n", "b.toml")
    found = [str(one).replace(f"{tmp_path}/", "") for one in check(path).mistakes]
    assert found == [
        "b.toml:1: [providers.openai] is defined here and at noria.toml:2; leave one of them.",
        "b.toml:3: [server] is defined here and at noria.toml:4; leave one of them.",
    ]


def test_an_included_file_must_exist_and_a_glob_may_be_empty(tmp_path: Path) -> None:
    (found,) = said(tmp_path, 'include = ["nothing/*.toml", "missing.toml"]\n')
    assert found == "noria.toml:1: includes 'missing.toml', which does not exist."


def test_the_digest_is_of_the_content(tmp_path: Path) -> None:
    first = load(write(tmp_path, PROVIDER + '[routes.a]\ntargets = ["openai/x"]\nbackoff = "500ms"\n'))
    again = load(
        write(
            tmp_path,
            '# a comment\n[routes.a]\nbackoff = "0.5s"\nretries = 2\ntargets = [{ model = "openai/x" }]\n'
            + PROVIDER,
        )
    )
    other = load(write(tmp_path, PROVIDER + '[routes.a]\ntargets = ["openai/x"]\n'))
    assert first.digest == again.digest != other.digest
    assert first.digest.startswith("sha256:")


def test_a_config_cannot_be_changed(tmp_path: Path) -> None:
    config = load(write(tmp_path, PROVIDER))
    with pytest.raises(ValueError, match="frozen"):
        config.server = config.server  # type: ignore[misc]
