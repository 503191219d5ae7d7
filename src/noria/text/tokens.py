"""How long a text is, in characters, words or tokens."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Literal

from noria.errors import ConfigError, MissingExtra

Unit = Literal["characters", "words", "tokens"]


def counter(unit: Unit, file: Path | None) -> Callable[[str], int]:
    """A function that measures a text; `file` is the tokenizer of tokens. Raises ConfigError where it
    lacks."""
    if unit == "characters":
        return len
    if unit == "words":
        return lambda text: len(text.split())
    if file is None:
        raise ConfigError("Tokens need `tokenizer`, the path of a tokenizer.json.")
    encode = tokenizer(file)
    return lambda text: len(encode(text))


@lru_cache(maxsize=4)
def tokenizer(file: Path) -> Callable[[str], list[int]]:
    """A function that gives a text's token ids, without the special ones of a template. Raises ConfigError
    where the file is none, MissingExtra."""
    try:
        from tokenizers import Tokenizer
    except ImportError as error:
        raise MissingExtra("Counting tokens", "local") from error
    if not file.is_file():
        raise ConfigError(f"The tokenizer {file} does not exist; name a tokenizer.json.")
    try:
        loaded = Tokenizer.from_file(str(file))
    except Exception as error:  # The library raises bare Exceptions.
        raise ConfigError(f"The tokenizer {file} cannot be read ({error}); name a tokenizer.json.") from None
    return lambda text: loaded.encode(text, add_special_tokens=False).ids
