"""A brief: TOML between `+++` lines says what must hold, the prose below it is what the models are told.

+++
answers = ["card_arrival", "lost_or_stolen_card"]
bar = 0.8
budget = "1.00"

[constraints]
licence = ["permissive"]
latency_p95_ms = 2000
+++
# Which intent has a customer's question?

Name the intent of the customer's question.
"""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Literal

import msgspec

from noria.errors import ConfigError
from noria.evals.explore.constraints import Constraints, Unknown
from noria.scoring.scorer import ScorerSpec

FENCE = "+++"
Technique = Literal["zero-shot", "few-shot", "chain of thought"]
TECHNIQUES: tuple[Technique, ...] = ("zero-shot", "few-shot", "chain of thought")
MOST_ANSWERS = 200
LONGEST = 100_000
"""Characters of a brief."""


class Brief(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is wanted, and what may not be otherwise."""

    task: str
    """What every model is told, word for word."""
    title: str = ""
    """The prose's first heading."""
    languages: tuple[str, ...] = ()
    """ISO 639 codes of what comes in and goes out."""
    constraints: Constraints = Constraints()
    unknown: Unknown = "keep"
    """What becomes of a model of which a constrained fact is not known."""
    models: tuple[str, ...] = ()
    """Routes or models; empty: every model of the configuration that can chat."""
    bar: float | None = None
    """The quality from which the task counts as feasible, in the scorer's unit."""
    answers: tuple[str, ...] = ()
    """All answers that there are, where there are only some: the models are told them."""
    scorers: tuple[ScorerSpec, ...] = ()
    """Empty: chosen by the form of the expected answers."""
    measure: str = ""
    """Which of the scorers' numbers is the quality; "": the first."""
    judge: str = ""
    """A [judges.NAME] that scores where no answers are expected; it must have reached its bar."""
    techniques: tuple[Technique, ...] = TECHNIQUES
    shots: tuple[int, ...] = (2, 8)
    """Examples that few-shot shows; two numbers or more make a learning curve."""
    repeats: int = 1
    parameters: dict[str, Any] = {}
    """Keys of a chat completion, such as temperature."""
    max_tokens: int = 400
    """Of one answer."""
    reasoning_tokens: int = 600
    """Added to `max_tokens` for chain of thought."""
    budget: Decimal | None = None
    """Most US dollars that the exploration may spend."""


class _Head(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    title: str = ""
    languages: tuple[str, ...] = ()
    constraints: Constraints = Constraints()
    unknown: Unknown = "keep"
    models: tuple[str, ...] = ()
    bar: float | None = None
    answers: tuple[str, ...] = ()
    scorers: tuple[str | ScorerSpec, ...] = ()
    measure: str = ""
    judge: str = ""
    techniques: tuple[Technique, ...] = TECHNIQUES
    shots: tuple[int, ...] = (2, 8)
    repeats: int = 1
    parameters: dict[str, Any] = {}
    max_tokens: int = 400
    reasoning_tokens: int = 600
    budget: Decimal | None = None


def read(text: str, *, where: str = "The brief") -> Brief:
    """Raises ConfigError that begins with `where`."""
    if len(text) > LONGEST:
        raise ConfigError(f"{where} is longer than {LONGEST:,} characters; a brief is short.")
    head, prose = _split(text.replace("\r\n", "\n"), where)
    try:
        values = tomllib.loads(head)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{where}: the front matter is not valid TOML: {error}.") from None
    _known(values, _Head.__struct_fields__, "", where)
    inner = values.get("constraints")
    if isinstance(inner, dict):
        _known(inner, Constraints.__struct_fields__, " in [constraints]", where)
    try:
        said = msgspec.convert(values, _Head)
    except msgspec.ValidationError as error:
        raise ConfigError(f"{where}: the front matter is not understood: {error}.") from None
    title, task = _titled(prose)
    if not task:
        raise ConfigError(f"{where} does not say what is to be done; write it below the front matter.")
    brief = Brief(
        task=task,
        title=said.title or title,
        scorers=tuple(ScorerSpec(type=one) if isinstance(one, str) else one for one in said.scorers),
        **{name: getattr(said, name) for name in _SAME},
    )
    problem = _problem(brief)
    if problem:
        raise ConfigError(f"{where}: {problem}.")
    return brief


_SAME = [name for name in _Head.__struct_fields__ if name not in ("title", "scorers")]


def near(word: str, known: Sequence[str]) -> str:
    """ "; did you mean `…`?" where a known word is near, else the known words."""
    found = difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)
    return f"; did you mean `{found[0]}`?" if found else f"; there are {', '.join(known)}."


def _known(values: dict[str, Any], known: Sequence[str], place: str, where: str) -> None:
    for name in values:
        if name not in known:
            raise ConfigError(f"{where}: unknown key `{name}`{place}{near(name, known)}")


def _split(text: str, where: str) -> tuple[str, str]:
    lines = text.lstrip("\ufeff").split("\n")
    if lines[0].rstrip() == "---":
        raise ConfigError(f"{where}: the front matter is TOML between lines {FENCE}, as in prompt files.")
    if lines[0].rstrip() != FENCE:
        return "", text
    for index in range(1, len(lines)):
        if lines[index].rstrip() == FENCE:
            return "\n".join(lines[1:index]), "\n".join(lines[index + 1 :])
    raise ConfigError(f"{where}: the front matter has no end; write a line {FENCE} behind it.")


def _titled(prose: str) -> tuple[str, str]:
    """(the first heading, the rest)."""
    found = re.match(r"\s*# +(.+?)\s*(?:\n|$)", prose)
    return (found[1], prose[found.end() :].strip()) if found else ("", prose.strip())


def _problem(brief: Brief) -> str:
    if brief.repeats not in range(1, 21):
        return "`repeats` must be between 1 and 20"
    if not brief.techniques:
        return "`techniques` must name one at least"
    if len(brief.shots) > 6 or any(not 1 <= one <= 50 for one in brief.shots):
        return "`shots` are up to six numbers between 1 and 50"
    if "few-shot" in brief.techniques and not brief.shots:
        return "few-shot needs `shots`, the numbers of examples to show"
    if len(brief.answers) > MOST_ANSWERS or len(set(brief.answers)) < len(brief.answers):
        return f"`answers` are up to {MOST_ANSWERS} different texts"
    if not 1 <= brief.max_tokens <= 10**6 or not 0 <= brief.reasoning_tokens <= 10**6:
        return "`max_tokens` and `reasoning_tokens` must be between 1 and 1,000,000"
    if brief.budget is not None and not 0 < brief.budget < 10**9:
        return "`budget` must be more than 0 dollars"
    if brief.bar is not None and not -(10**9) < brief.bar < 10**9:
        return "`bar` must be a number"
    return ""
