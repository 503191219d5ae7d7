"""Jinja text → a program. Jinja only parses; what it would run is never made, so nothing can escape from it.

Control and the command line compile; this module alone imports jinja2.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import jinja2
from jinja2 import nodes

from noria.errors import InvalidRequest
from noria.prompts import program as p
from noria.prompts.budget import MOST
from noria.prompts.filters import FILTERS, TESTS

LONGEST = 200_000
"""Characters of one template."""
DEEPEST = 60
"""Levels to which statements and expressions may be nested."""
_ENVIRONMENT = jinja2.Environment(trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True)
"""A line that holds nothing but a tag leaves no empty line behind."""

Include = Callable[[str], p.Program]
"""Gives the program of a prompt that is included, by the reference as written."""


def compile_template(text: str, *, include: Include, where: str = "The template") -> p.Program:
    """Raises InvalidRequest: what is wrong, at which line, and what to write instead."""
    if len(text) > LONGEST:
        raise _wrong(where, f"has more than {LONGEST:,} characters; split it")
    try:
        parsed = _ENVIRONMENT.parse(text)
    except jinja2.TemplateSyntaxError as error:
        raise _wrong(
            where, f"is not valid at line {error.lineno}: {(error.message or '').rstrip('.')}"
        ) from None
    except (RecursionError, OverflowError, ValueError):
        # ValueError: a number of more than 4,300 digits.
        raise _wrong(where, "is nested too deeply, or holds a number that is too long") from None
    return _Compiler(include, where).body(parsed.body, 0)


def references(text: str) -> list[str]:
    """What `{% include %}` names, in order; [] where the text does not parse."""
    try:
        found = _ENVIRONMENT.parse(text).find_all(nodes.Include)
        names = [one.template.value for one in found if isinstance(one.template, nodes.Const)]
    except (jinja2.TemplateSyntaxError, RecursionError, OverflowError, ValueError):
        return []
    return list(dict.fromkeys(name for name in names if isinstance(name, str)))


def _wrong(where: str, what: str) -> InvalidRequest:
    return InvalidRequest(f"{where} {what}.", param="messages")


class _Compiler:
    def __init__(self, include: Include, where: str) -> None:
        self._include = include
        self._where = where

    def body(self, found: Sequence[nodes.Node], depth: int) -> p.Program:
        return tuple(one for node in found for one in self._statement(node, depth + 1))

    def _refuse(self, node: nodes.Node, what: str) -> InvalidRequest:
        return _wrong(f"{self._where}, line {node.lineno},", f"uses {what}")

    def _check_depth(self, node: nodes.Node, depth: int) -> None:
        if depth > DEEPEST:
            raise self._refuse(node, f"more than {DEEPEST} levels of nesting")

    def _statement(self, node: nodes.Node, depth: int) -> list[p.Statement]:
        self._check_depth(node, depth)
        match node:
            case nodes.Output():
                return [self._output(one, depth) for one in node.nodes if not _is_empty(one)]
            case nodes.If():
                branches = [(self._expr(node.test, depth), self.body(node.body, depth))]
                branches += [(self._expr(one.test, depth), self.body(one.body, depth)) for one in node.elif_]
                return [p.If(tuple(branches), self.body(node.else_, depth))]
            case nodes.For():
                return [self._for(node, depth)]
            case nodes.Assign():
                names, unpack = self._targets(node.target)
                return [p.Set(names, self._expr(node.node, depth), unpack)]
            case nodes.AssignBlock():
                return [self._capture(node, depth)]
            case nodes.With():
                pairs = zip(node.targets, node.values, strict=True)
                given = tuple((self._name(target), self._expr(value, depth)) for target, value in pairs)
                return [p.Scope(given, self.body(node.body, depth))]
            case nodes.Scope():
                return list(self.body(node.body, depth))
            case nodes.Include():
                return [self._included(node)]
            case _:
                raise self._refuse(node, f"`{_tag(node)}`, which prompts do not have{_instead(node)}")

    def _output(self, node: nodes.Node, depth: int) -> p.Statement:
        if isinstance(node, nodes.TemplateData):
            return p.Say(node.data)
        return p.Show(self._expr(node, depth))

    def _for(self, node: nodes.For, depth: int) -> p.For:
        if node.recursive:
            raise self._refuse(node, "a recursive loop, which prompts do not have")
        names, unpack = self._targets(node.target)
        return p.For(
            names,
            self._expr(node.iter, depth),
            self.body(node.body, depth),
            self.body(node.else_, depth),
            None if node.test is None else self._expr(node.test, depth),
            unpack,
        )

    def _capture(self, node: nodes.AssignBlock, depth: int) -> p.Capture:
        if node.filter is not None:
            raise self._refuse(node, "a filter on `set`; apply it where the variable is shown")
        return p.Capture(self._name(node.target), self.body(node.body, depth))

    def _included(self, node: nodes.Include) -> p.Scope:
        if not isinstance(node.template, nodes.Const) or not isinstance(node.template.value, str):
            raise self._refuse(node, "an `include` whose name is not a plain text")
        if node.ignore_missing:
            raise self._refuse(node, "`ignore missing`; an included prompt must exist")
        return p.Scope((), self._include(node.template.value))

    def _targets(self, target: nodes.Node) -> tuple[tuple[str, ...], bool]:
        if isinstance(target, nodes.Tuple):
            return tuple(self._name(one) for one in target.items), True
        return (self._name(target),), False

    def _name(self, node: nodes.Node) -> str:
        if not isinstance(node, nodes.Name):
            raise self._refuse(node, "`namespace`, which prompts do not have; set a variable")
        return node.name

    # expressions

    def _expr(self, node: nodes.Node, depth: int) -> p.Expression:
        depth += 1
        self._check_depth(node, depth)
        match node:
            case nodes.Const():
                return self._const(node)
            case nodes.Name():
                return p.Var(node.name)
            case nodes.TemplateData():
                return p.Const(node.data)
            case nodes.Getattr():
                return p.Get(self._expr(node.node, depth), p.Const(node.attr))
            case nodes.Getitem():
                return self._item(node, depth)
            case nodes.List() | nodes.Tuple():
                return p.Items(tuple(self._expr(one, depth) for one in node.items))
            case nodes.Dict():
                pairs = [(self._expr(one.key, depth), self._expr(one.value, depth)) for one in node.items]
                return p.Pairs(tuple(pairs))
            case nodes.CondExpr():
                no = None if node.expr2 is None else self._expr(node.expr2, depth)
                return p.Choose(self._expr(node.test, depth), self._expr(node.expr1, depth), no)
            case nodes.And():
                return p.Both(self._expr(node.left, depth), self._expr(node.right, depth))
            case nodes.Or():
                return p.Either(self._expr(node.left, depth), self._expr(node.right, depth))
            case nodes.Not() | nodes.Neg() | nodes.Pos():
                return p.Unary(_UNARY[type(node)], self._expr(node.node, depth))
            case nodes.Concat():
                return self._concat(node, depth)
            case nodes.Compare():
                rest = tuple((one.op, self._expr(one.expr, depth)) for one in node.ops)
                return p.Compare(self._expr(node.expr, depth), rest)  # pyright: ignore[reportArgumentType]
            case nodes.Filter():
                return self._filter(node, depth)
            case nodes.Test():
                return self._test(node, depth)
            case nodes.Call():
                return self._call(node, depth)
            case nodes.BinExpr():
                op = _BINARY[type(node)]
                return p.Binary(op, self._expr(node.left, depth), self._expr(node.right, depth))  # pyright: ignore[reportArgumentType]
            case _:
                raise self._refuse(node, f"`{_tag(node)}`, which prompts do not have")

    def _const(self, node: nodes.Const) -> p.Const:
        value: Any = node.value
        if isinstance(value, int) and abs(value) >= MOST:
            raise self._refuse(node, "a number of more than 63 bits")
        if isinstance(value, float) and value in (float("inf"), float("-inf")):
            raise self._refuse(node, "a number that is not finite")
        return p.Const(value)

    def _item(self, node: nodes.Getitem, depth: int) -> p.Expression:
        inner = self._expr(node.node, depth)
        if not isinstance(node.arg, nodes.Slice):
            return p.Get(inner, self._expr(node.arg, depth))
        bounds = (node.arg.start, node.arg.stop, node.arg.step)
        return p.Cut(inner, *(None if bound is None else self._expr(bound, depth) for bound in bounds))

    def _concat(self, node: nodes.Concat, depth: int) -> p.Expression:
        parts = [self._expr(one, depth) for one in node.nodes]
        found = parts[0]
        for part in parts[1:]:
            found = p.Binary("~", found, part)
        return found

    def _filter(self, node: nodes.Filter, depth: int) -> p.Filtered:
        if node.node is None:
            raise self._refuse(node, "a filter on a block, which prompts do not have")
        if node.name not in FILTERS:
            raise self._refuse(
                node, f"the filter {node.name!r}, which there is not; there are {', '.join(sorted(FILTERS))}"
            )
        named = {str(one.key): self._expr(one.value, depth) for one in node.kwargs}
        self._plain_arguments(node)
        arguments = tuple(self._expr(one, depth) for one in node.args)
        return p.Filtered(node.name, self._expr(node.node, depth), arguments, named)

    def _test(self, node: nodes.Test, depth: int) -> p.Tested:
        if node.name not in TESTS:
            raise self._refuse(
                node, f"the test {node.name!r}, which there is not; there are {', '.join(sorted(TESTS))}"
            )
        self._plain_arguments(node)
        arguments = tuple(self._expr(one, depth) for one in node.args)
        return p.Tested(node.name, self._expr(node.node, depth), arguments)

    def _plain_arguments(self, node: Any) -> None:
        if node.dyn_args is not None or node.dyn_kwargs is not None:
            raise self._refuse(node, "`*` or `**` among arguments, which prompts do not have")

    def _call(self, node: nodes.Call, depth: int) -> p.Expression:
        self._plain_arguments(node)
        called = node.node
        arguments = tuple(self._expr(one, depth) for one in node.args)
        ranges = isinstance(called, nodes.Name) and called.name == "range" and 1 <= len(arguments) <= 3
        if ranges and not node.kwargs:
            return p.Range(arguments)
        if isinstance(called, nodes.Getattr) and not node.kwargs:
            if called.attr in ("items", "keys", "values") and not arguments:
                return p.Filtered(called.attr, self._expr(called.node, depth))
            if called.attr == "cycle" and arguments and isinstance(called.node, nodes.Name):
                index = p.Get(p.Var(called.node.name), p.Const("index0"))
                return p.Get(p.Items(arguments), p.Binary("%", index, p.Const(len(arguments))))
        raise self._refuse(
            node, "a call; only `range(…)`, `x.items()`, `x.keys()`, `x.values()` and `loop.cycle(…)` are "
            "there, and filters for the rest (`x | trim`)"
        )  # fmt: skip


_UNARY: dict[type, Any] = {nodes.Not: "not", nodes.Neg: "-", nodes.Pos: "+"}
_BINARY: dict[type, str] = {
    nodes.Add: "+", nodes.Sub: "-", nodes.Mul: "*", nodes.Div: "/", nodes.FloorDiv: "//", nodes.Mod: "%",
    nodes.Pow: "**",
}  # fmt: skip


def _is_empty(node: nodes.Node) -> bool:
    return isinstance(node, nodes.TemplateData) and not node.data


def _tag(node: nodes.Node) -> str:
    return _TAGS.get(type(node), type(node).__name__.lower())


_TAGS: dict[type, str] = {nodes.CallBlock: "call", nodes.FilterBlock: "filter", nodes.FromImport: "from"}


def _instead(node: nodes.Node) -> str:
    inherited = isinstance(node, nodes.Extends | nodes.Block | nodes.Import | nodes.FromImport)
    return "; use `{% include %}`" if inherited else ""
