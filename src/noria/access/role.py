"""Roles, and who acts."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, get_args

import msgspec

Role = Literal["viewer", "editor", "admin"]
"""viewer: see. editor: also call models from the page, annotate, propose. admin: also keys, people, apply.
Each includes those before it."""

ROLES: tuple[Role, ...] = get_args(Role)
_BY_NAME: dict[str, Role] = {role: role for role in ROLES}
EVERYWHERE = "*"
"""Stands for every project where roles are given."""


def role_named(name: str) -> Role | None:
    """The role of this name, if it is one."""
    return _BY_NAME.get(name)


def highest(roles: Iterable[Role]) -> Role | None:
    """None of none."""
    found = set(roles)
    return next((role for role in reversed(ROLES) if role in found), None)


class Principal(msgspec.Struct, frozen=True, kw_only=True):
    """Who acts: an account that signed in, a virtual key, or the command line on this machine."""

    id: str
    name: str
    kind: Literal["account", "key", "local"]
    roles: dict[str, Role]
    """By project; `*` for every project."""
    email: str = ""

    def role(self, project: str) -> Role | None:
        """The higher of the roles in `project` and in every project."""
        found = (self.roles.get(project), self.roles.get(EVERYWHERE))
        return highest(role for role in found if role is not None)

    def may(self, role: Role, project: str) -> bool:
        """Whether it has at least `role` in `project` (`*`: in all of them)."""
        has = self.role(project)
        return has is not None and ROLES.index(has) >= ROLES.index(role)


SYSTEM = Principal(id="system", name="Noria", kind="local", roles={EVERYWHERE: "admin"})
"""Acts that nobody asked for: the first apply at start, an expiry."""
