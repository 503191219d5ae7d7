"""Renders a compiled template. Only values are looked up, in mappings and lists: nothing has attributes.

The SDK, evaluations and the gateway's workers all render here, within a `Budget`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from noria.prompts import program as p
from noria.prompts.budget import Budget, Missing, refuse
from noria.prompts.filters import apply, test
from noria.prompts.values import calculate, compare, cut, field, items_of, kind, known, text_of, truth, whole

MOST_RANGE = 10_000


def render(program: p.Program, variables: Mapping[str, Any], budget: Budget | None = None) -> str:
    """The text; what belongs together is rendered within one `budget`.

    Raises InvalidRequest, one sentence, where a variable is missing or the budget is used up.
    """
    return _Rendering(budget or Budget(), variables).text(program)


class _Rendering:
    def __init__(self, budget: Budget, variables: Mapping[str, Any]) -> None:
        self._budget = budget
        self._scopes: list[dict[str, Any]] = [dict(variables)]
        self._out: list[str] = []

    def text(self, program: p.Program) -> str:
        try:
            self._run(program)
        except RecursionError:
            raise refuse("The template or a value is nested too deeply; make it flatter.") from None
        return "".join(self._out)

    # statements

    def _run(self, body: Sequence[p.Statement]) -> None:
        for statement in body:
            self._budget.step()
            _STATEMENTS[type(statement)](self, statement)

    def on_say(self, statement: p.Say) -> None:
        self._budget.characters(len(statement.text))
        self._out.append(statement.text)

    def on_show(self, statement: p.Show) -> None:
        text = text_of(known(self.value(statement.value)), self._budget)
        self._budget.characters(len(text))
        self._out.append(text)

    def on_if(self, statement: p.If) -> None:
        for test_, body in statement.branches:
            if truth(self.value(test_)):
                self._run(body)
                return
        self._run(statement.otherwise)

    def on_for(self, statement: p.For) -> None:
        values = items_of(self.value(statement.values), self._budget)
        if statement.when is not None:
            values = [one for one in values if self._passes(statement, one)]
        for index, value in enumerate(values):
            scope: dict[str, Any] = {"loop": _loop(index, values)}
            self._scopes.append(scope)
            self._assign(statement.targets, value, unpack=statement.unpack)
            self._run(statement.body)
            self._scopes.pop()
        if not values:
            self._run(statement.otherwise)

    def _passes(self, statement: p.For, value: Any) -> bool:
        self._scopes.append({})
        self._assign(statement.targets, value, unpack=statement.unpack)
        assert statement.when is not None
        passes = truth(self.value(statement.when))
        self._scopes.pop()
        return passes

    def on_set(self, statement: p.Set) -> None:
        self._assign(statement.targets, known(self.value(statement.value)), unpack=statement.unpack)

    def on_capture(self, statement: p.Capture) -> None:
        outer, self._out = self._out, []
        self._scopes.append({})
        self._run(statement.body)
        self._scopes.pop()
        text = "".join(self._out)
        self._out = outer
        self._scopes[-1][statement.target] = text

    def on_scope(self, statement: p.Scope) -> None:
        given = {name: known(self.value(value)) for name, value in statement.targets}
        self._scopes.append(given)
        self._run(statement.body)
        self._scopes.pop()

    def _assign(self, targets: tuple[str, ...], value: Any, *, unpack: bool) -> None:
        scope = self._scopes[-1]
        if not unpack:
            scope[targets[0]] = value
            return
        parts = items_of(value, self._budget)
        if len(parts) != len(targets):
            raise refuse(
                f"{', '.join(targets)}: {len(targets)} values are expected, and there are {len(parts)}."
            )
        scope.update(zip(targets, parts, strict=True))

    # expressions

    def value(self, node: p.Expression) -> Any:
        """May be Missing."""
        self._budget.step()
        return _EXPRESSIONS[type(node)](self, node)

    def on_const(self, node: p.Const) -> Any:
        return node.value

    def on_var(self, node: p.Var) -> Any:
        for scope in reversed(self._scopes):
            if node.name in scope:
                return scope[node.name]
        return Missing(node.name)

    def on_get(self, node: p.Get) -> Any:
        key = known(self.value(node.key))
        return field(self.value(node.value), key, _named(node))

    def on_cut(self, node: p.Cut) -> Any:
        bounds = [
            None if bound is None else known(self.value(bound))
            for bound in (node.start, node.stop, node.step)
        ]
        found = cut(self.value(node.value), *bounds)
        self._budget.characters(len(found))
        return found if isinstance(found, str) else whole(found, self._budget)

    def on_unary(self, node: p.Unary) -> Any:
        value = known(self.value(node.value))
        if node.op == "not":
            return not value
        if not isinstance(value, int | float):
            raise refuse(f"`{node.op}` stands before a number, not before {kind(value)}.")
        return -value if node.op == "-" else +value

    def on_binary(self, node: p.Binary) -> Any:
        return calculate(node.op, self.value(node.left), self.value(node.right), self._budget)

    def on_both(self, node: p.Both) -> Any:
        left = known(self.value(node.left))
        return self.value(node.right) if left else left

    def on_either(self, node: p.Either) -> Any:
        left = known(self.value(node.left))
        return left or self.value(node.right)

    def on_compare(self, node: p.Compare) -> bool:
        left = self.value(node.first)
        for op, other in node.rest:
            right = self.value(other)
            if not compare(op, left, right, self._budget):
                return False
            left = right
        return True

    def on_choose(self, node: p.Choose) -> Any:
        if truth(self.value(node.test)):
            return self.value(node.yes)
        return "" if node.no is None else self.value(node.no)

    def on_items(self, node: p.Items) -> list[Any]:
        return whole([known(self.value(one)) for one in node.values], self._budget)

    def on_pairs(self, node: p.Pairs) -> dict[str, Any]:
        made: dict[str, Any] = {}
        for key, value in node.values:
            name = known(self.value(key))
            if not isinstance(name, str):
                raise refuse(f"The keys of a mapping are texts, not {kind(name)}.")
            made[name] = known(self.value(value))
        return whole(made, self._budget)

    def on_range(self, node: p.Range) -> list[int]:
        bounds = [known(self.value(one)) for one in node.arguments]
        if not all(isinstance(bound, int) for bound in bounds):
            raise refuse("`range` takes whole numbers.")
        try:
            found = range(*bounds)
        except ValueError:
            raise refuse("The step of `range` must not be 0.") from None
        if found and (abs(found[-1] - found[0]) // abs(found.step)) >= MOST_RANGE:
            raise refuse(f"`range` gives more than {MOST_RANGE:,} numbers; make it shorter.")
        self._budget.step(len(found))
        return list(found)

    def on_filtered(self, node: p.Filtered) -> Any:
        value = self.value(node.value)
        arguments = [known(self.value(one)) for one in node.arguments]
        named = {name: known(self.value(one)) for name, one in node.named.items()}
        return apply(node.name, value, arguments, named, self._budget)

    def on_tested(self, node: p.Tested) -> bool:
        value = self.value(node.value)
        return test(node.name, value, [known(self.value(one)) for one in node.arguments], self._budget)


def _loop(index: int, values: list[Any]) -> dict[str, Any]:
    count = len(values)
    found: dict[str, Any] = {
        "index": index + 1, "index0": index, "revindex": count - index, "revindex0": count - index - 1,
        "first": index == 0, "last": index == count - 1, "length": count,
    }  # fmt: skip
    if index:
        found["previtem"] = values[index - 1]
    if index < count - 1:
        found["nextitem"] = values[index + 1]
    return found


def _named(node: p.Expression) -> str:
    """A place as it is written, for sentences."""
    if isinstance(node, p.Var):
        return node.name
    if isinstance(node, p.Get):
        key = node.key.value if isinstance(node.key, p.Const) else "…"
        return f"{_named(node.value)}.{key}" if isinstance(key, str) else f"{_named(node.value)}[{key}]"
    return repr(node.value)[:40] if isinstance(node, p.Const) else "a value"


R = _Rendering
_STATEMENTS: dict[type, Callable[[_Rendering, Any], None]] = {
    p.Say: R.on_say, p.Show: R.on_show, p.If: R.on_if, p.For: R.on_for, p.Set: R.on_set,
    p.Capture: R.on_capture, p.Scope: R.on_scope,
}  # fmt: skip
_EXPRESSIONS: dict[type, Callable[[_Rendering, Any], Any]] = {
    p.Const: R.on_const, p.Var: R.on_var, p.Get: R.on_get, p.Cut: R.on_cut, p.Unary: R.on_unary,
    p.Binary: R.on_binary, p.Both: R.on_both, p.Either: R.on_either, p.Compare: R.on_compare,
    p.Choose: R.on_choose, p.Items: R.on_items, p.Pairs: R.on_pairs, p.Range: R.on_range,
    p.Filtered: R.on_filtered, p.Tested: R.on_tested,
}  # fmt: skip
