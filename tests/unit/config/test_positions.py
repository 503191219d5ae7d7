"""The line of every key of a TOML text."""

import tomllib
from typing import Any

import tomlkit
from hypothesis import given
from hypothesis import strategies as st

from noria.config.positions import Path, positions

TEXT = '''# top
title = "a [b] # c"
"quoted.key" = \'x\'
[a.b]
c = """
[not.a.table]
d = 1
"""
e.f = [
  1, # one
  { g = 2, "h]" = [3] },
]
[[list]]
n = 1
[[list]]
n = 2
[list.sub]
k = true
'''


def test_lines_are_those_of_the_text() -> None:
    lines = positions(TEXT)
    assert lines[("title",)] == 2
    assert lines[("quoted.key",)] == 3
    assert lines[("a", "b")] == 4
    assert lines[("a", "b", "c")] == 5
    assert lines[("a", "b", "e", "f")] == 9
    assert lines[("a", "b", "e", "f", 1, "g")] == 11
    assert lines[("a", "b", "e", "f", 1, "h]", 0)] == 11
    assert lines[("list", 1, "n")] == 16
    assert lines[("list", 1, "sub", "k")] == 18


def paths(value: Any, path: Path = ()) -> set[Path]:
    found = {path} if path else set()
    if isinstance(value, dict):
        for key, inner in value.items():
            found |= paths(inner, (*path, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            found |= paths(inner, (*path, index))
    return found


scalars = st.one_of(st.integers(-1000, 1000), st.booleans(), st.text(max_size=12), st.floats(-9, 9))
keys = st.text("ab.-_\"'[]{}=# \n\\é", min_size=1, max_size=4)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3),
    max_leaves=12,
)


@given(st.dictionaries(keys, values, max_size=4))
def test_every_key_of_what_tomllib_reads_has_a_line(data: dict[str, Any]) -> None:
    text = tomlkit.dumps(data)
    read = tomllib.loads(text)
    lines = positions(text)
    # A table that is only implied by a longer header has no line of its own.
    assert {path for path in paths(read) if path not in lines} <= {
        path[:end] for path in lines for end in range(len(path))
    }
    last = text.count("\n") + 1
    assert all(1 <= line <= last for line in lines.values())
