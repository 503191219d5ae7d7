"""People, places and organisations, by Presidio with a spaCy model."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

from noria.errors import MissingExtra
from noria.text.pii.hit import Hit, Kind

_KINDS: dict[str, Kind] = {"PERSON": "person", "LOCATION": "place", "ORGANIZATION": "organisation"}
_SURE = 0.5
"""Least score of Presidio's; its spaCy recogniser gives 0.85."""


@lru_cache(maxsize=1)
def deep_finder() -> Callable[[str], list[Hit]]:
    """A function that finds them in English text. Raises MissingExtra."""
    try:
        import spacy
        from presidio_analyzer import AnalyzerEngine
        from presidio_analyzer.nlp_engine import NlpEngineProvider
    except ImportError as error:
        raise MissingExtra("The deep mode of finding personal data", "pii") from error
    model = "en_core_web_sm"
    if not spacy.util.is_package(model):
        raise MissingExtra("The deep mode's model of English", "pii")
    engine: Any = NlpEngineProvider(
        nlp_configuration={"nlp_engine_name": "spacy", "models": [{"lang_code": "en", "model_name": model}]}
    ).create_engine()
    analyser: Any = AnalyzerEngine(nlp_engine=engine, supported_languages=["en"])

    def find(text: str) -> list[Hit]:
        found = analyser.analyze(text=text, language="en", entities=list(_KINDS), score_threshold=_SURE)
        return [
            Hit(one.start, one.end, _KINDS[one.entity_type])
            for one in found
            # A replacement's own label is a proper noun to the model.
            if not (text[: one.start].endswith("<") or ">" in text[one.start : one.end])
        ]

    return find
