from pathlib import Path

import msgspec
import pytest

from noria.errors import InvalidRequest
from noria.storage.stored import StoredReader, StoredWriter
from noria.tracing.record import Stored


def thing(n: int, *, kind: str = "response", project: str = "default", **more: object) -> Stored:
    fields: dict[str, object] = {
        "body": b'{"id":"o_%d","metadata":{"n":"%d"}}' % (n, n % 3), "input": b'[{"role":"user"}]',
        "metadata": {"n": str(n % 3)}, "model": "a" if n % 2 else "b", "trace": bytes([n]) * 16,
    } | more  # fmt: skip
    return Stored(id=f"o_{n}", kind=kind, project=project, key="k", at=n // 2, **fields)  # pyright: ignore


def test_an_object_is_read_updated_and_deleted_within_its_project(tmp_path: Path) -> None:
    writer, reader = StoredWriter(tmp_path / "s.db"), StoredReader(tmp_path / "s.db")
    writer.write([thing(1), thing(2, kind="chat.completion")], {("w", 1): 80})
    found = reader.get("default", "o_1")
    assert found == thing(1)
    assert reader.get("other", "o_1") is None and reader.get("default", "o_9") is None
    assert writer.set_metadata("default", "o_1", {"a": "b"})
    assert not writer.set_metadata("other", "o_1", {"a": "c"})
    found = reader.get("default", "o_1")
    assert found is not None and found.metadata == {"a": "b"}
    assert msgspec.json.decode(found.body) == {"id": "o_1", "metadata": {"a": "b"}}
    assert not writer.delete("default", "o_1", "chat.completion")
    assert not writer.delete("other", "o_1", "response")
    assert writer.delete("default", "o_1", "response")
    assert not writer.delete("default", "o_1", "response")
    writer.write([thing(1)], {})  # A record that was still on its way.
    assert reader.get("default", "o_1") is None
    assert writer.cursors() == {("w", 1): 80}


def test_a_later_record_takes_the_place_of_an_earlier(tmp_path: Path) -> None:
    writer, reader = StoredWriter(tmp_path / "s.db"), StoredReader(tmp_path / "s.db")
    writer.write([thing(1), thing(1, body=b"{}", metadata={})], {})
    found = reader.get("default", "o_1")
    assert found is not None and found.body == b"{}"


@pytest.mark.parametrize("order", ["asc", "desc"])
def test_lists_page_through_every_object_once(tmp_path: Path, order: str) -> None:
    writer, reader = StoredWriter(tmp_path / "s.db"), StoredReader(tmp_path / "s.db")
    writer.write([thing(n) for n in range(25)] + [thing(30, project="other"), thing(31, kind="x")], {})
    writer.delete("default", "o_7", "response")
    seen: list[str] = []
    after, more = None, True
    while more:
        page, more = reader.list("default", "response", after=after, limit=4, order=order)
        seen += [item.id for item in page]
        after = page[-1].id
    expected = sorted((n // 2, f"o_{n}") for n in range(25) if n != 7)
    assert seen == [id for _, id in (expected if order == "asc" else expected[::-1])]
    found, more = reader.list("default", "response", model="a", metadata={"n": "1"})
    assert {item.id for item in found} == {"o_1", "o_13", "o_19"} and not more
    with pytest.raises(InvalidRequest):
        reader.list("default", "response", after="o_99")


def test_erasing_deletes_what_traces_have_stored(tmp_path: Path) -> None:
    writer, reader = StoredWriter(tmp_path / "s.db"), StoredReader(tmp_path / "s.db")
    writer.write([thing(1), thing(2)], {})
    assert writer.erase([bytes([1]) * 16, b"?" * 16]) == 1
    assert reader.get("default", "o_1") is None and reader.get("default", "o_2") is not None


def test_nothing_is_there_before_anything_is_written(tmp_path: Path) -> None:
    reader = StoredReader(tmp_path / "s.db")
    assert reader.get("default", "x") is None and reader.list("default", "response") == ([], False)
