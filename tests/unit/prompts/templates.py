"""Random templates of the part of Jinja that prompts have, and values to render them with."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

VALUES: dict[str, Any] = {
    "name": "Ada <b>&amp; 'x'</b>", "empty": "", "number": 7, "share": 0.25, "yes": True, "none": None,
    "words": ["pear", "Apple", "fig", "apple"], "numbers": [3, 1, 2, 2], "blank": [],
    "person": {"name": "Bo", "age": 41, "tags": ["a", "b"], "address": {"city": "Ūla"}},
    "people": [{"name": "Cy", "age": 3}, {"name": "di", "age": 2}],
}  # fmt: skip
_TEXTS = st.sampled_from(["Hello ", "\n", " {x} ", "# note\n", "é", "  \n  ", "<a>", "-"])
_NUMBERS = st.sampled_from(
    ["number", "share", "numbers[0]", "person.age", "3", "2.5", "words | length", "-1"]
)
_STRINGS = st.sampled_from(
    ["name", "empty", "person.name", "person['address'].city", "words[1]", "words[-1]", "'q'", "name[0:2]"]
)
_LISTS = st.sampled_from(
    ["words", "numbers", "blank", "person.tags", "[1, 'a', none]", "words[1:]", "(range(3) | list)"]
)


_ORDERS = st.sampled_from(["==", "!=", "<", "<=", ">", ">="])


def _strings(depth: int) -> st.SearchStrategy[str]:
    if depth == 0:
        return _STRINGS
    inner = _strings(depth - 1)
    filters = st.sampled_from([
        "upper", "lower", "title", "capitalize", "trim", "replace('a', 'bb')", "truncate(9)", "reverse",
        "indent(2)", "default('d')", "string", "first", "wordcount", "length",
    ])  # fmt: skip
    return st.one_of(
        _STRINGS,
        st.builds(lambda a, f: f"({a} | {f})", inner, filters),
        st.builds(lambda a, b: f"({a} ~ {b})", inner, st.one_of(inner, _numbers(depth - 1))),
        st.builds(lambda a, b: f"({a} | string + {b} | string)", inner, inner),
        st.builds(lambda c, a, b: f"({a} if {c} else {b})", _tests(depth - 1), inner, inner),
        st.builds(lambda a, s: f"({a} | join('{s}'))", _lists(depth - 1), st.sampled_from([", ", "", "-"])),
        st.builds(lambda a, n: f"({a} | string * {n})", inner, st.integers(-1, 3)),
    )


def _numbers(depth: int) -> st.SearchStrategy[str]:
    if depth == 0:
        return _NUMBERS
    inner = _numbers(depth - 1)
    return st.one_of(
        _NUMBERS,
        st.builds(lambda a, o, b: f"({a} {o} {b})", inner, st.sampled_from("+-*"), inner),
        st.builds(lambda a, o: f"({a} {o} 3)", inner, st.sampled_from(["//", "%", "/", "**"])),
        st.builds(lambda a, f: f"({a} | {f})", inner, st.sampled_from(["abs", "int", "float", "round(1)"])),
        st.builds(lambda f: f"(numbers | {f})", st.sampled_from(["sum", "max", "min", "first", "last"])),
    )


def _lists(depth: int) -> st.SearchStrategy[str]:
    if depth == 0:
        return _LISTS
    filters = st.sampled_from(["list", "reverse | list", "unique | list"])
    return st.one_of(
        _LISTS,
        st.builds(lambda a, f: f"({a} | {f})", _lists(depth - 1), filters),
        st.sampled_from([
            "(words | sort)", "(words | sort(reverse=true))", "(people | map(attribute='name') | list)",
            "(people | sort(attribute='age') | map(attribute='name') | list)",
            "(words | map('upper') | list)",
            "(numbers | select('odd') | list)", "(numbers | reject('>', 1) | list)",
            "(people | selectattr('age', 'gt', 2) | map(attribute='age') | list)",
        ]),
    )  # fmt: skip


def _tests(depth: int) -> st.SearchStrategy[str]:
    numbers, strings = _numbers(max(depth, 0)), _strings(max(depth, 0))
    simple = st.one_of(
        st.builds(lambda a, o, b: f"{a} {o} {b}", numbers, _ORDERS, numbers),
        st.builds(lambda a, o, b: f"{a} {o} {b}", strings, st.sampled_from(["==", "!="]), strings),
        st.builds(lambda a, o: f"{a} {o} words", _STRINGS, st.sampled_from(["in", "not in"])),
        st.sampled_from([
            "nothing is defined", "name is defined", "none is none", "person is mapping", "number is odd",
            "words is sequence", "name is string", "'name' in person", "1 < number <= 7", "blank", "yes",
            "number is divisibleby 7", "share is float", "person.age is integer",
        ]),
    )  # fmt: skip
    if depth <= 0:
        return simple
    return st.one_of(
        simple,
        st.builds(lambda a, o, b: f"({a} {o} {b})", simple, st.sampled_from(["and", "or"]), simple),
        st.builds(lambda a: f"not ({a})", simple),
    )


_EXPRESSIONS = st.one_of(_strings(2), _numbers(2), _lists(1), _tests(1), st.just("person"), st.just("none"))


def _shown(text: str) -> str:
    return "{{ " + text + " }}"


def _block(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    loops = st.builds(
        lambda values, when, body, other: (
            f"{{% for one in {values}{when} %}}{body}{{{{ loop.index }}}}{{{{ one }}}}"
            f"{{% if not loop.last %}},{{% endif %}}{{% else %}}{other}{{% endfor %}}"
        ),
        _lists(1), st.sampled_from(["", " if one", " if one is string"]), inner, inner,
    )  # fmt: skip
    pairs = st.builds(
        lambda body: (
            f"{{% for key, value in person.items() %}}{{{{ key }}}}={{{{ value }}}}{body}"
            "{{ loop.cycle('a', 'b') }}{% endfor %}"
        ),
        inner,
    )
    return st.one_of(
        st.builds(
            lambda a, b, c, d: f"{{% if {a} %}}\n{b}{{% elif {c} %}}{d}{{% else %}}\n  {b}{{% endif %}}",
            _tests(1), inner, _tests(1), inner,
        ),
        loops,
        pairs,
        st.builds(lambda a, b: f"{{% set x = {a} %}}{b}{{{{ x }}}}", _EXPRESSIONS, inner),
        st.builds(lambda a: f"{{% set y %}}{a}{{% endset %}}[{{{{ y }}}}]", inner),
        st.builds(lambda a, b: f"{{% with z = {a} %}}{{{{ z }}}}{b}{{% endwith %}}", _EXPRESSIONS, inner),
        st.just("{# note #}{% raw %}{{ raw }}{% endraw %}"),
    )  # fmt: skip


TEMPLATES = st.recursive(
    st.one_of(_TEXTS, st.builds(_shown, _EXPRESSIONS)),
    lambda inner: st.one_of(_block(inner), st.builds("".join, st.lists(inner, max_size=3))),
    max_leaves=8,
)
