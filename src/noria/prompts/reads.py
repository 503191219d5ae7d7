"""What a program reads from outside, and where it shows it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from noria.prompts import program as p


class Shown(msgspec.Struct, frozen=True):
    """One place where values are shown: the variables that they come from, what filters they went through,
    and the text on either side."""

    names: frozenset[str]
    filters: frozenset[str]
    before: str
    after: str


class Reads(msgspec.Struct, frozen=True):
    names: frozenset[str]
    shown: tuple[Shown, ...]


def reads(program: p.Program) -> Reads:
    """Names that a loop or `set` gives stand for those that they come from."""
    walk = _Walk()
    walk.body(program, {})
    return Reads(frozenset(walk.names), tuple(walk.shown))


Origins = dict[str, frozenset[str]]


class _Walk:
    def __init__(self) -> None:
        self.names: set[str] = set()
        self.shown: list[Shown] = []

    def body(self, body: Sequence[p.Statement], origins: Origins) -> None:
        for index, statement in enumerate(body):
            match statement:
                case p.Show():
                    found = self.read(statement.value, origins)
                    before, after = _text(body, index - 1), _text(body, index + 1)
                    self.shown.append(Shown(found, frozenset(_filters(statement.value)), before, after))
                case p.If():
                    for test, inner in statement.branches:
                        self.read(test, origins)
                        self.body(inner, origins)
                    self.body(statement.otherwise, origins)
                case p.For():
                    found = self.read(statement.values, origins)
                    inside = {**origins, "loop": frozenset[str](), **dict.fromkeys(statement.targets, found)}
                    if statement.when is not None:
                        self.read(statement.when, inside)
                    self.body(statement.body, inside)
                    self.body(statement.otherwise, origins)
                case p.Set():
                    origins.update(dict.fromkeys(statement.targets, self.read(statement.value, origins)))
                case p.Capture():
                    known = len(self.shown)
                    self.body(statement.body, dict(origins))
                    names = frozenset(name for one in self.shown[known:] for name in one.names)
                    origins[statement.target] = names
                case p.Scope():
                    inside = {**origins, **{name: self.read(one, origins) for name, one in statement.targets}}
                    self.body(statement.body, inside)
                case p.Say():
                    pass

    def read(self, node: p.Expression, origins: Origins) -> frozenset[str]:
        """The outer names that the value comes from."""
        if isinstance(node, p.Var):
            if node.name in origins:
                return origins[node.name]
            self.names.add(node.name)
            return frozenset({node.name})
        return frozenset(name for one in _parts(node) for name in self.read(one, origins))


def _parts(node: p.Expression) -> Iterator[p.Expression]:
    match node:
        case p.Get():
            yield from (node.value, node.key)
        case p.Cut():
            yield node.value
            yield from (one for one in (node.start, node.stop, node.step) if one is not None)
        case p.Unary():
            yield node.value
        case p.Binary() | p.Both() | p.Either():
            yield from (node.left, node.right)
        case p.Compare():
            yield node.first
            yield from (other for _, other in node.rest)
        case p.Choose():
            yield from (node.test, node.yes)
            if node.no is not None:
                yield node.no
        case p.Items():
            yield from node.values
        case p.Pairs():
            yield from (one for pair in node.values for one in pair)
        case p.Range():
            yield from node.arguments
        case p.Filtered():
            yield node.value
            yield from node.arguments
            yield from node.named.values()
        case p.Tested():
            yield node.value
            yield from node.arguments
        case p.Const() | p.Var():
            pass


def _filters(node: p.Expression) -> Iterator[str]:
    if isinstance(node, p.Filtered):
        yield node.name
    for one in _parts(node):
        yield from _filters(one)


def _text(body: Sequence[p.Statement], index: int) -> str:
    found = body[index] if 0 <= index < len(body) else None
    return found.text if isinstance(found, p.Say) else ""
