import pytest
from hypothesis import given
from hypothesis import strategies as st

from noria.errors import ConfigError, UserError
from noria.models import sources
from noria.models.sources import Hub, Local, Object, Pypi
from noria.models.weights import from_source, known, manifest

word = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,12}", fullmatch=True)
path = st.lists(word, min_size=1, max_size=3).map("/".join)
every = st.one_of(
    st.builds(Pypi, word, word, path),
    st.builds(Hub, st.tuples(word, word).map("/".join), path, word),
    st.builds(Object, st.sampled_from(["s3", "gs"]), word, path),
    st.builds(Local, path),
)


@given(every)
def test_a_source_reads_back_from_its_text(source: sources.Source) -> None:
    assert sources.parse(str(source)) == source


@pytest.mark.parametrize("text", ["", "x", "pypi:a#b", "hf:a/b", "s3:bucket", "ftp:a/b", "file:"])
def test_what_is_not_a_source_is_refused_with_the_right_form(text: str) -> None:
    with pytest.raises(ConfigError, match="pypi:PROJECT==VERSION#MEMBER"):
        sources.parse(text)


def test_urls_of_stores_are_understood() -> None:
    assert sources.parse("s3://b/k/x.gguf") == Object("s3", "b", "k/x.gguf")


def test_every_known_weights_file_has_a_size_and_checksum_or_neither() -> None:
    for weights in manifest().values():
        assert weights.licence and weights.card, weights.name
        for file in weights.files:
            assert (file.sha256 is None) == (file.size is None), file.name
            assert file.sha256 is None or len(file.sha256) == 64
    assert known("smollm2-135m-instruct").pinned
    assert known("smollm2-135m-instruct").threads == 1


def test_an_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(UserError, match=r"qwen3-0\.6b"):
        known("qwen9")


def test_a_source_alone_makes_weights_called_as_the_file() -> None:
    weights = from_source("hf:o/r/sub/Model-Q8_0.gguf", sha256="0" * 64)
    assert (weights.name, weights.files[0].name) == ("model-q8_0", "Model-Q8_0.gguf")
    with pytest.raises(UserError, match="GGUF"):
        from_source("hf:o/r/model.safetensors")
