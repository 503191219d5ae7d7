import pytest

from noria.errors import ConfigError
from noria.studies.parameter import Choice, Float, Int, Parameter, check, choices, combinations


@pytest.mark.parametrize(
    ("parameter", "said"),
    [
        (Float(low=1, high=0), "lowest and a highest"),
        (Float(low=0, high=float("nan")), "lowest and a highest"),
        (Float(low=0, high=1, log=True), "above 0"),
        (Float(low=0.1, high=1, log=True, step=0.1), "not both"),
        (Int(low=1, high=9, step=0), "step above 0"),
        (Choice(values=()), "all different"),
        (Choice(values=("a", "a")), "all different"),
        (Choice(values=(1, True)), "all different"),
    ],
)
def test_what_cannot_be_searched_is_refused(parameter: Parameter, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        check({"x": parameter})


def test_a_study_changes_something() -> None:
    with pytest.raises(ConfigError, match="at least one parameter"):
        check({})
    check(
        {"a": Float(low=0, high=0), "b": Int(low=1, high=512, log=True), "c": Choice(values=(2, True, None))}
    )


def test_combinations_are_counted() -> None:
    assert combinations({"a": Int(low=0, high=9, step=3), "b": Choice(values=("x", "y"))}) == 8
    assert combinations({"a": Float(low=0, high=1)}) is None
    assert choices(Float(low=0, high=1, step=0.1)) == pytest.approx([i / 10 for i in range(11)])
    assert choices(Float(low=2, high=2)) == (2,)
