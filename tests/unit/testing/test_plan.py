import pytest

from noria.testing.plan import Plan, ToolUse, parse_plan, plan_in


def test_a_model_name_carries_a_plan() -> None:
    assert plan_in("mock/chunks=20,gap=5ms,fail=429:2,retry_after=1.5") == Plan(
        chunks=20, gap=5, fail=429, fail_count=2, retry_after=1.5
    )
    assert plan_in("openai/gpt-4o") is None
    assert plan_in("mock") is None


def test_texts_are_percent_decoded_and_tools_are_named() -> None:
    plan = parse_plan("text=one+two%2C+three,call=look+tell,usage=none,first=0.5s,in=7,out=9")
    assert plan == Plan(
        text="one two, three",
        calls=(ToolUse("look"), ToolUse("tell")),
        usage=False,
        first=500,
        input=7,
        output=9,
    )


@pytest.mark.parametrize("text", ["chunk=3", "error=sometimes", "gap=soon"])
def test_what_is_no_plan_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        parse_plan(text)
