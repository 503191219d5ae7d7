"""A brief, what it requires, and which candidates that leaves."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from noria.config.mistake import nearest
from noria.errors import ConfigError, InvalidRequest
from noria.evals.explore.brief import read
from noria.evals.explore.candidates import Facts, candidate
from noria.evals.explore.constraints import Constraints, parse_rules
from noria.models.card import LicenceKind

WHOLE = """+++
languages = ["en", "de"]
bar = 0.8
budget = "1.50"
answers = ["yes", "no"]
scorers = ["exact", { type = "numeric", arguments = { tolerance = 0.1 } }]
shots = [4]

[constraints]
licence = ["permissive"]
latency_p95_ms = 1500
cost_per_1000 = "0.40"
privacy = "local"
+++
# Is it spam?

Say whether the message is spam.
"""


def test_a_brief_is_read_whole() -> None:
    brief = read(WHOLE)
    assert (brief.title, brief.task) == ("Is it spam?", "Say whether the message is spam.")
    assert brief.budget == Decimal("1.50") and brief.bar == 0.8 and brief.shots == (4,)
    assert brief.constraints.cost_per_1000 == Decimal("0.40") and brief.constraints.privacy == "local"
    assert [one.type for one in brief.scorers] == ["exact", "numeric"]
    assert read("Say hello.").task == "Say hello."


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("+++\nbudge = 1\n+++\nDo.", "unknown key `budge`; did you mean `budget`?"),
        ("+++\n[constraints]\nlicense = []\n+++\nDo.", "`license` in [constraints]; did you mean `licence`"),
        ("+++\nbar = \"high\"\n+++\nDo.", "the front matter is not understood"),
        ("+++\n[constraints]\ncontext = -1\n+++\nDo.", "at least 0"),
        ("+++\nbar = \n+++\nDo.", "not valid TOML"),
        ("+++\nbar = 1\nDo.", "has no end"),
        ("---\nbar: 1\n---\nDo.", "TOML between lines +++"),
        ("+++\nbar = 1\n+++\n# Only a title", "does not say what is to be done"),
        ("+++\nshots = [0]\n+++\nDo.", "between 1 and 50"),
        ("+++\nbudget = \"0\"\n+++\nDo.", "more than 0 dollars"),
        ("+++\nbar = nan\n+++\nDo.", "`bar` must be a number"),
        ("+++\nanswers = [\"a\", \"a\"]\n+++\nDo.", "different texts"),
        ("+++\n[constraints]\nlicence = [\"free\"]\n+++\nDo.", "not understood"),
    ],
)  # fmt: skip
def test_a_mistake_is_a_sentence(text: str, words: str) -> None:
    with pytest.raises(ConfigError) as error:
        read(text, where="brief.md")
    assert words in str(error.value) and str(error.value).startswith("brief.md")


@given(st.text(max_size=300))
def test_no_text_breaks_the_reader(text: str) -> None:
    try:
        assert read(text).task
    except ConfigError:
        pass


def test_requirements_are_parsed() -> None:
    rules = ["licence=permissive,community", "context>=32k", "parameters<=8b", "cost<=$0.50", "p95 <= 1500",
             "region=eu", "fine_tunable=yes", "capability=tools"]  # fmt: skip
    found = parse_rules(rules, nearest=nearest)
    assert found == Constraints(
        licence=("permissive", "community"), context=32_000, parameters=8 * 10**9, regions=("eu",),
        cost_per_1000=Decimal("0.50"), latency_p95_ms=1500.0, fine_tunable=True, capabilities=("tools",),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ("contxt>=32k", "did you mean `context`?"),
        ("context<=32k", "must be written with >="),
        ("context>=many", "needs a number"),
        ("cost<=inf", "finite"),
        ("licence=free", "not understood"),
        ("fine_tunable=maybe", "yes or no"),
        ("hello", "is no requirement"),
        ("context>=-5", "at least 0"),
        ("privacy=everywhere", "not understood"),
    ],
)
def test_a_wrong_requirement_is_a_sentence(rule: str, words: str) -> None:
    with pytest.raises(InvalidRequest, match=words.replace("?", r"\?")):
        parse_rules([rule], nearest=nearest)


@given(st.lists(st.text(max_size=40), max_size=4))
def test_no_requirement_breaks_the_parser(rules: list[str]) -> None:
    try:
        parse_rules(rules, nearest=nearest)
    except InvalidRequest:
        pass


def facts(**more: object) -> Facts:
    known: dict[str, object] = {
        "model": "acme/a", "licence": "MIT", "licence_kind": "permissive", "context": 8192,
        "parameters": 10**9, "capabilities": ("chat", "lora"), "region": "eu",
    }  # fmt: skip
    return Facts(**{**known, **more})  # type: ignore[arg-type]


def test_every_broken_constraint_is_a_reason() -> None:
    wanted = Constraints(
        licence=("permissive",), context=32_000, parameters=10**8, privacy="local", regions=("us",),
        fine_tunable=True, capabilities=("tools",),
    )  # fmt: skip
    bad = facts(licence="Own", licence_kind="proprietary", capabilities=("chat",))
    found = candidate("acme/a", [bad], wanted, unknown="keep")
    assert len(found.excluded) == 7 and not found.unknown
    assert "its licence Own is proprietary, and permissive is required" in found.excluded
    assert not candidate("acme/a", [facts()], Constraints(licence=("permissive",)), unknown="keep").excluded


def test_what_is_not_known_excludes_only_where_the_brief_says_so() -> None:
    wanted = Constraints(licence=("permissive",), context=1, regions=("eu",), fine_tunable=True)
    blank = Facts(model="acme/a")
    kept = candidate("acme/a", [blank], wanted, unknown="keep")
    assert not kept.excluded and len(kept.unknown) == 4
    left_out = candidate("acme/a", [blank], wanted, unknown="exclude")
    assert left_out.excluded == kept.unknown and not left_out.unknown


def test_a_route_is_as_good_as_the_worst_behind_it() -> None:
    both = candidate(
        "fast", [facts(), facts(model="acme/b", context=10)], Constraints(context=100), unknown="keep"
    )
    assert both.excluded == ("acme/b: its context is 10 tokens, and 100 are required",)


@given(st.sampled_from(["permissive", "community", "proprietary", "research", None]), st.integers(0, 10**6))
def test_more_constraints_never_let_more_in(kind: LicenceKind | None, context: int) -> None:
    one = facts(licence_kind=kind, context=context)
    loose = candidate("m", [one], Constraints(context=1000), unknown="exclude")
    tight = candidate("m", [one], Constraints(context=1000, licence=("permissive",)), unknown="exclude")
    assert set(loose.excluded) <= set(tight.excluded)
