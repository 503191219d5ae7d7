"""Who calls and what they may: every route of the API takes a Principal through one of the guards here."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Query, Request, Security
from fastapi.security import APIKeyCookie, HTTPBearer

from noria.access.role import Principal, Role
from noria.errors import Forbidden, Unauthenticated
from noria.runtime.control import Control

PROJECT = Query(min_length=1, max_length=64, description="The project that the call is about.")
_cookie = APIKeyCookie(name="noria_session", auto_error=False, description="The page's session.")
_bearer = HTTPBearer(auto_error=False, description="A virtual key (nk-…) of role viewer, editor or admin.")


def control(request: Request) -> Control:
    """The process's parts."""
    return request.app.state.control


Parts = Annotated[Control, Depends(control)]
Project = Annotated[str, PROJECT]


def principal(
    request: Request,
    _session: Annotated[object, Security(_cookie)],
    _key: Annotated[object, Security(_bearer)],
) -> Principal | None:
    """Who calls, set by `door.Door`; None: nobody who has signed in."""
    return request.scope.get("noria.principal")


Anyone = Annotated[Principal | None, Depends(principal)]


class Guard:
    """A dependency that refuses whoever has less than `role` in the project asked for."""

    def __init__(self, role: Role, *, anywhere: bool = False) -> None:
        self.role: Role = role
        self.anywhere = anywhere
        """The act is about the whole installation: the role is needed in the project `*`."""

    def __call__(self, who: Anyone, project: Project = "default") -> Principal:
        if who is None:
            raise Unauthenticated(
                "Sign in, or send a virtual key of role viewer, editor or admin as Authorization: Bearer.",
                code="unauthenticated",
            )
        where = "*" if self.anywhere else project
        if not who.may(self.role, where):
            scope = "every project" if self.anywhere else f"project {project!r}"
            raise Forbidden(f"This needs the role {self.role} in {scope}; ask an administrator for it.")
        return who


Viewer = Annotated[Principal, Depends(Guard("viewer"))]
Editor = Annotated[Principal, Depends(Guard("editor"))]
Admin = Annotated[Principal, Depends(Guard("admin"))]
Owner = Annotated[Principal, Depends(Guard("admin", anywhere=True))]
"""An administrator of the installation."""
Overseer = Annotated[Principal, Depends(Guard("viewer", anywhere=True))]
"""May see every project."""


def signed_in(who: Anyone) -> Principal:
    """Whoever has signed in, whatever the role."""
    if who is None:
        raise Unauthenticated("Sign in first.", code="unauthenticated")
    return who


SignedIn = Annotated[Principal, Depends(signed_in)]
