"""[datasets.NAME.build]: steps are checked when noria.toml is."""

from __future__ import annotations

from pathlib import Path

import pytest

from noria.config.load import load
from noria.errors import ConfigError


def _load(folder: Path, build: str) -> object:
    path = folder / "noria.toml"
    path.write_text(f"[datasets.clean.build]\n{build}\n")
    return load(path)


def test_steps_are_written_as_they_were_read(tmp_path: Path) -> None:
    steps = [{"type": "normalize"}, {"type": "near", "words": 2, "fields": ["input"]}]
    build = (
        'source = "raw@2"\nsteps = [{ type = "normalize" }, { type = "near", words = 2, fields = ["input"] }]'
    )
    path = tmp_path / "noria.toml"
    path.write_text(f"[datasets.clean.build]\n{build}\n")
    config = load(path)
    assert config.written()["datasets"]["clean"]["build"] == {"source": "raw@2", "steps": steps}
    section = config.datasets["clean"].build
    assert section is not None
    assert [step["arguments"] for step in section.plan().lineage()][1]["similarity"] == 0.8


@pytest.mark.parametrize(
    ("build", "words"),
    [
        ('source = "raw"\nsteps = []', "steps"),
        ('steps = [{ type = "normalize" }]', "needs one of `source` and `files`"),
        ('source = "raw"\nfiles = ["a.jsonl"]\nsteps = [{ type = "exact" }]', "needs one of"),
        ('source = "raw"\nsteps = [{ type = "nothing" }]', "No step of type 'nothing' is installed"),
        ('source = "raw"\nsteps = [{ type = "near", wrods = 3 }]', "wrods"),
        ('source = "raw"\nsteps = [{ type = "near", words = "3" }]', "Expected `int`"),
        ('source = "raw"\nsteps = [{ words = 3 }]', "lacks `type`"),
        ('source = "raw"\nworkers = 0\nsteps = [{ type = "exact" }]', "workers"),
    ],
)
def test_mistakes_are_told_with_their_line(tmp_path: Path, build: str, words: str) -> None:
    with pytest.raises(ConfigError, match=r"noria.toml:\d") as told:
        _load(tmp_path, build)
    assert words in str(told.value)
