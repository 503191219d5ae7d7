"""What is exported without loss comes back as it was."""

from __future__ import annotations

import string
from collections.abc import Iterable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from noria.core.example import Example
from noria.datasets import importing
from noria.datasets.exporting import Left, write
from noria.datasets.importing import Report, Source
from noria.datasets.mapping import Mapping

_texts = st.text(st.characters(codec="utf-8"), max_size=12) | st.sampled_from(["'=x", "-1", "{}"])
_json = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | _texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_texts, inner, max_size=3),
    max_leaves=5,
)
_names = st.sampled_from(["question", "context", "a.b", "x:json", "", "ü"])
_fields = st.dictionaries(_names, _json, max_size=3)
_examples = st.lists(
    st.builds(
        Example,
        id=st.text(string.ascii_letters, min_size=1, max_size=6),
        input=st.dictionaries(_names, _texts | _json, min_size=1, max_size=3),
        expected=_json,
        metadata=_fields,
        tags=st.lists(_texts, max_size=3, unique=True).map(tuple),
        source=_texts.filter(bool),
        group=_texts,
    ),
    max_size=6,
)  # fmt: skip


def read(path: Path) -> list[Example]:
    report = Report()
    found = list(importing.examples(importing.records(Source(path=str(path))), Mapping(), report))
    assert report.problems == [] and report.read == len(found)
    return found


def put(path: Path, examples: Iterable[Example], format: str) -> None:
    kept = list(examples)
    left = Left()
    path.write_bytes(b"".join(write(lambda: kept, format=format, left=left)))
    assert (left.written, left.rows, left.left_out) == (len(kept), len(kept), 0)


@pytest.mark.parametrize("format", ["jsonl", "csv", "parquet"])
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(examples=_examples)
def test_export_and_import_are_inverse(tmp_path: Path, format: str, examples: list[Example]) -> None:
    if format == "parquet":
        pytest.importorskip("pyarrow")
    path = tmp_path / f"file.{format}"
    put(path, examples, format)
    assert [example.revision for example in read(path)] == [example.revision for example in examples]
    assert [example.id for example in read(path)] == [example.id for example in examples]


def test_a_cell_cannot_be_a_formula(tmp_path: Path) -> None:
    texts = ["=1+1", "+1", "-1", "@x", "\tx", "'quoted", "'=1", "plain"]
    put(
        tmp_path / "a.csv",
        [Example(id=f"e{n}", input={"q": text}, source="s") for n, text in enumerate(texts)],
        "csv",
    )
    rows = (tmp_path / "a.csv").read_bytes().decode().split("\r\n")
    assert [row.split(",")[1][:1] for row in rows[1:8]] == ["'"] * 7
    assert [example.input["q"] for example in read(tmp_path / "a.csv")] == texts
