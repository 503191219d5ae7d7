"""The state folder: its secret is made once, whole, whoever asks first."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from noria.errors import StateError
from noria.storage.home import PEPPER, Home


def test_all_who_ask_at_once_get_the_same_whole_secret(tmp_path: Path) -> None:
    for number in range(20):
        homes = [Home(tmp_path / str(number)) for _ in range(8)]
        with ThreadPoolExecutor(8) as pool:
            found = set(pool.map(Home.pepper, homes))
        assert len(found) == 1
        assert len(found.pop()) == PEPPER
        assert [path.name for path in (tmp_path / str(number)).iterdir()] == ["secret"]


def test_a_damaged_secret_is_not_taken_for_one(tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.pepper()
    (tmp_path / "secret").write_bytes(b"")
    with pytest.raises(StateError, match="damaged"):
        home.pepper()
