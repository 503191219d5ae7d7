from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from noria.storage.segment import HEADER, OpenSegment, frame_bytes, frames, read_head

payloads = st.lists(st.binary(min_size=1, max_size=200), max_size=30)


def written(folder: Path, size: int, records: list[bytes]) -> tuple[list[bytes], bytes]:
    path = folder / "1.seg"
    path.unlink(missing_ok=True)
    segment = OpenSegment(path, size=size, writer="w0")
    segment.begin(day=20_000, at=1)
    kept = [record for record in records if segment.put(record)]
    segment.close()
    return kept, path.read_bytes()


@given(records=payloads)
def test_what_is_put_is_read_in_order(tmp_path_factory: pytest.TempPathFactory, records: list[bytes]) -> None:
    kept, data = written(tmp_path_factory.mktemp("segment"), 4096, records)
    found = list(frames(data[HEADER:]))
    assert [bytes(payload) for _, payload in found if payload is not None] == kept
    assert all(behind % 8 == 0 for behind, _ in found)


@settings(max_examples=200)
@given(records=payloads, cut=st.integers(0, 4096), junk=st.binary(max_size=64))
def test_a_tail_cut_anywhere_leaves_whole_records_only(
    tmp_path_factory: pytest.TempPathFactory, records: list[bytes], cut: int, junk: bytes
) -> None:
    kept, data = written(tmp_path_factory.mktemp("segment"), 4096, records)
    torn = bytearray(data[HEADER:])
    torn[cut : cut + len(junk)] = junk
    read = [
        bytes(payload) for behind, payload in frames(bytes(torn)) if payload is not None and behind <= cut
    ]
    assert read == kept[: len(read)]


def test_a_record_that_does_not_fit_leaves_the_segment_as_it_was(tmp_path: Path) -> None:
    kept, data = written(tmp_path, frame_bytes(16), [b"a" * 16, b"b"])
    assert kept == [b"a" * 16]
    assert len(data) == frame_bytes(16)


def test_the_header_says_who_wrote_and_when(tmp_path: Path) -> None:
    _, data = written(tmp_path, 4096, [])
    head = read_head(data)
    assert head is not None
    assert (head.writer, head.day, head.begun, head.sealed) == ("w0", 20_000, 1, 0)


def test_a_disk_without_room_leaves_no_file(tmp_path: Path) -> None:
    with pytest.raises(OSError):
        OpenSegment(tmp_path / "1.seg", size=1 << 60, writer="w0")
    assert not list(tmp_path.iterdir())
