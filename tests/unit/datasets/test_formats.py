"""What files hold, and what of it is left out with which words."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from noria.core.example import Example
from noria.datasets import importing, record
from noria.datasets.formats import hugging_face, json_lines
from noria.datasets.importing import Report, Source
from noria.datasets.mapping import Mapping
from noria.errors import InvalidRequest

QA = Mapping(input={"question": "q"}, expected="a")


def load(path: Path, mapping: Mapping = QA, **source: Any) -> tuple[list[Example], Report]:
    report = Report()
    given = Source(path=str(path), **source)
    return list(importing.examples(importing.records(given), mapping, report, tags=given.tags)), report


def test_every_bad_line_is_told_and_the_rest_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(
        b'\xef\xbb\xbf{"q": "1", "a": "x"}\r\n'
        b"\n"
        b'{"q": "2", "a": NaN}\n'
        b'{"q": "\xff", "a": "x"}\n'
        b'{"q": "3"\n'
        b"[1, 2]\n"
        b'{"q": "4"}\n' + b'{"q": "5", "a": ' + b"[" * 300 + b"]" * 300 + b"}\n"
        b'{"q": "6", "a": ' + b"[" * 200_000 + b"\n"
        b'{"q": "7", "a": "last"}'
    )
    examples, report = load(path)
    assert [example.input["question"] for example in examples] == ["1", "7"]
    assert (report.read, report.bad) == (9, 7)
    assert [(one.line, one.reason) for one in report.problems] == [
        (3, "The record has NaN or Infinity, which JSON does not know; write null or leave the field out."),
        (4, "The record is not UTF-8 (byte 7)."),
        (5, "The record is not JSON: Input data was truncated."),
        (6, "The record is JSON, but not an object."),
        (7, "There is no column 'a' (the record has q)."),
        (8, "The record is nested more than 100 deep."),
        (9, "The record is nested more than 100 deep."),
    ]


@pytest.mark.parametrize("name", ["a.jsonl", "a.csv", "a.json", "a.txt"])
def test_a_line_of_100_mb_is_a_sentence(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / name
    giant = b'x\\"' * (100 << 20 >> 2)
    with path.open("wb") as file:
        parts = {
            "a.jsonl": (b'{"q": "1", "a": "', giant, b'"}\n{"q": "2", "a": "x"}\n'),
            "a.csv": (b"q,a\n1,", giant.replace(b'"', b"'"), b"\n2,x\n"),
            "a.json": (b'[{"q": "1", "a": "', giant, b'"}, {"q": "2", "a": "x"}]'),
            "a.txt": (b"", giant, b"\n2\n"),
        }[name]
        for part in parts:
            file.write(part)
    mapping = Mapping(input={"question": "text"}) if name == "a.txt" else QA
    examples, report = load(path, mapping)
    assert [example.input["question"] for example in examples] == ["2"]
    assert [one.reason for one in report.problems] == ["The record is larger than 16 MB."]


def test_an_array_is_read_one_by_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [{"q": f'{n} "[{{,]}}\\', "a": ["x,", {"y": "]"}]} for n in range(50)]
    path = tmp_path / "a.json"
    for chunk in (5, 64, 1 << 20):
        monkeypatch.setattr("noria.datasets.formats.json_array._CHUNK", chunk)
        path.write_text("  " + json.dumps(rows, indent=1))
        examples, report = load(path)
        assert [example.input["question"] for example in examples] == [row["q"] for row in rows]
        assert report.problems == []
    path.write_text(json.dumps(rows)[:-40])
    examples, report = load(path)
    assert len(examples) == 49 and report.bad == 1
    path.write_text('[{"q": "1", "a": 1}, 5, {"q": bad}, {"q": "2", "a": 2}]')
    examples, report = load(path)
    assert len(examples) == 2 and [one.line for one in report.problems] == [2, 3]


def test_rows_of_csv(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b'q,a\r\n"one, two","line\r\nbreak"\r\nx\r\n\xff,1\r\n,\r\n"""quoted""",y\r\n')
    examples, report = load(path)
    assert [(one.input["question"], one.expected) for one in examples] == [
        ("one, two", "line\r\nbreak"), ("", ""), ('"quoted"', "y"),
    ]  # fmt: skip
    assert [(one.line, one.reason) for one in report.problems] == [
        (4, "The row has 1 cells, and the header 2."),
        (5, "The row is not UTF-8."),
    ]
    path.write_text("q,q\n1,2\n")
    with pytest.raises(InvalidRequest, match="two columns called 'q'"):
        load(path)


def test_packed_files_and_names(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl.gz"
    whole = gzip.compress(b'{"q": "1", "a": "x"}\n' * 3)
    path.write_bytes(whole)
    assert load(path)[1].read == 3
    path.write_bytes(whole[:-12])
    with pytest.raises(InvalidRequest, match="damaged"):
        load(path)
    with pytest.raises(
        InvalidRequest, match=r"does not say what is in the file; give the format \(jsonl, json"
    ):
        load(tmp_path / "a.bin")
    with pytest.raises(InvalidRequest, match="cannot be read"):
        load(tmp_path / "nobody.csv")


def test_an_import_that_was_meant_differently_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"text": "1"}\n' * 5000)
    with pytest.raises(
        InvalidRequest, match=r"None of the first 1,000 .* no column 'q' \(the record has text\)"
    ):
        load(path)


def test_the_same_record_is_the_same_example(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"q": "1", "a": "x"}\n{"a": "x", "q": "1"}\n{"q": "1", "a": "y"}\n')
    examples, _ = load(path)
    assert examples[0].id == examples[1].id != examples[2].id
    by_line, _ = load(path, Mapping(input={"question": "q"}, expected="a", id="#"))
    assert [one.id for one in by_line] == [f"a.jsonl#{n:09}" for n in (1, 2, 3)]
    assert [one.source for one in by_line] == ["file:a.jsonl"] * 3


def test_columns_become_parts(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    row = {
        "q": "?",
        "answers": {"text": ["yes", "ja"]},
        "doc": 7,
        "kinds": ["a", "b"],
        "lang": "en",
        "key": "k1",
    }
    path.write_text(json.dumps(row))
    mapping = Mapping(
        input={"question": "q"}, expected="answers.text", tags=("kinds", "lang"), group="doc", id="key"
    )
    (example,), _ = load(path, mapping, tags=("x", "a"))
    assert example == Example(
        id="k1", input={"question": "?"}, expected=["yes", "ja"], tags=("a", "b", "en", "x"), group="7",
        source="file:a.jsonl",
    )  # fmt: skip
    kept = Mapping(input={"question": "q"}, metadata={"language": "lang", "none": "nowhere"})
    assert load(path, kept)[0][0].metadata == {"language": "en"}
    first = Mapping(input={"question": "q"}, expected="answers.text.0")
    assert load(path, first)[0][0].expected == "yes"


def test_chats(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    user, answer = {"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}
    call = {"role": "assistant", "content": None, "tool_calls": [{"id": "1"}]}
    rows = [
        {"messages": [user, answer], "note": 1},
        {"messages": [user, call], "tools": [{"type": "function"}]},
        {"messages": [user]},
        {
            "input": {"messages": [user]},
            "preferred_output": [answer],
            "non_preferred_output": [{"role": "assistant", "content": "Go away"}],
        },
        {
            "conversations": [{"from": "human", "value": "Hi"}, {"from": "gpt", "value": "Hello"}],
            "system": "S",
        },
        {"conversations": [{"from": "robot", "value": "Hi"}]},
        {"messages": []},
        {"messages": ["Hi"]},
    ]
    path.write_text("\n".join(map(json.dumps, rows)))
    examples, report = load(path, Mapping())
    assert [(one.input, one.expected, one.metadata) for one in examples] == [
        ({"messages": [user]}, "Hello", {"note": 1}),
        ({"messages": [user], "tools": [{"type": "function"}]}, call, {}),
        ({"messages": [user]}, None, {}),
        ({"messages": [user]}, "Hello", {"chosen": "Hello", "rejected": "Go away"}),
        ({"messages": [{"role": "system", "content": "S"}, user]}, "Hello", {}),
    ]
    assert [one.line for one in report.problems] == [6, 7, 8]
    assert "'robot'" in report.problems[0].reason


def test_hugging_face_folders(tmp_path: Path) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    import pyarrow.parquet as parquet

    table = pyarrow.table({"q": ["1", "2"], "a": ["x", "y"], "score": [0.5, float("nan")]})
    hub = tmp_path / "hub"
    (hub / "data").mkdir(parents=True)
    parquet.write_table(table.slice(0, 1), hub / "data" / "train-00000-of-00001.parquet")
    (hub / "dataset_infos.json").write_text("{}")
    (hub / "test.jsonl").write_text('{"q": "3", "a": "z"}\n')
    examples, _ = load(hub)
    assert [(one.expected, one.tags, one.source) for one in examples] == [
        ("x", ("train",), "file:hub/data/train-00000-of-00001.parquet"),
        ("z", ("test",), "file:hub/test.jsonl"),
    ]  # fmt: skip

    saved = tmp_path / "saved"
    for split in ("train", "validation"):
        folder = saved / split
        folder.mkdir(parents=True)
        with pyarrow.OSFile(str(folder / "data-00000-of-00001.arrow"), "wb") as sink:
            with pyarrow.ipc.new_stream(sink, table.schema) as writer:
                writer.write_table(table)
        (folder / "cache-1.arrow").write_bytes(b"left over by map")
        (folder / "state.json").write_text('{"_data_files": [{"filename": "data-00000-of-00001.arrow"}]}')
    (saved / "dataset_dict.json").write_text('{"splits": ["train", "validation"]}')
    examples, report = load(saved)
    assert [(one.expected, one.tags) for one in examples] == [("x", ("train",)), ("x", ("validation",))]
    assert report.bad == 2 and "'score' holds NaN or an infinity" in report.problems[0].reason
    with pytest.raises(InvalidRequest, match="holds no data files"):
        hugging_face.files(tmp_path / "hub" / "data" / "..")[:0] or hugging_face.files(_empty(tmp_path))


def _empty(folder: Path) -> Path:
    found = folder / "empty"
    found.mkdir()
    return found


def test_parallel_files_must_be_as_long(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("1\n2\n")
    (tmp_path / "b").write_text("x\n")
    source = Source(path="", parallel={"src": str(tmp_path / "a"), "ref": str(tmp_path / "b")})
    with pytest.raises(InvalidRequest, match="The file of ref has fewer lines"):
        list(importing.records(source))


def test_a_record_of_the_largest_size_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(b'{"q": "' + b"x" * (record.LARGEST - 20) + b'"}\n')
    assert [type(one).__name__ for one in json_lines.read(path, name="a")] == ["Record"]


@pytest.mark.parametrize(
    "content",
    [
        b'{"data": [{"paragraphs": [1]}]}',
        b'{"data": [{"paragraphs": [{"qas": [{"answers": null}]}]}]}',
        b'{"data": [{"paragraphs": null}]}',
        b'{"data": "\xff"}',
        b"7",
    ],
)
def test_an_object_that_only_looks_like_squad_is_refused_in_a_sentence(
    tmp_path: Path, content: bytes
) -> None:
    path = tmp_path / "a.json"
    path.write_bytes(content)
    with pytest.raises(InvalidRequest, match=r"a\.json is n"):
        load(path)


def test_a_packed_array_that_is_cut_off_is_a_sentence(tmp_path: Path) -> None:
    whole = gzip.compress(json.dumps([{"q": str(number), "a": "x"} for number in range(9_999)]).encode())
    for name, content in (("a.json.gz", whole[: len(whole) // 2]), ("b.json.gz", b"no gzip")):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(InvalidRequest, match="is damaged behind record"):
            load(tmp_path / name)


def test_a_small_parquet_file_that_means_much_is_read_in_little_memory(tmp_path: Path) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    import pyarrow.parquet as parquet

    texts = pyarrow.array(["x" * (17 << 20), "small"])
    column = pyarrow.DictionaryArray.from_arrays(pyarrow.array([0] * 40 + [1], pyarrow.int32()), texts)
    path = tmp_path / "a.parquet"
    parquet.write_table(
        pyarrow.table({"q": column, "a": ["y"] * 41}),
        path,
        compression="zstd",
        dictionary_pagesize_limit=1 << 30,
    )
    assert path.stat().st_size < 10_000
    examples, report = load(path)
    assert [one.input for one in examples] == [{"question": "small"}]
    assert (report.read, report.bad) == (41, 40) and "16 MB" in report.problems[0].reason


@pytest.mark.parametrize("place", ["²", "9" * 5_000])
def test_a_path_that_looks_like_a_number_and_is_none_is_a_sentence(tmp_path: Path, place: str) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"q": ["1"], "a": "x"}\n')
    with pytest.raises(InvalidRequest, match="There is no column"):
        load(path, Mapping(input={"question": f"q.{place}"}))
