"""The chain notices whatever is changed, left out, added or moved."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from noria.access.approval import Approval
from noria.access.audit import GENESIS, Act, AuditEvent, record, verify
from noria.access.role import ROLES, Principal, Role

_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)
_DETAILS = st.dictionaries(st.text(max_size=4), _JSON, max_size=3)
_WHO = Principal(id="p", name="P", kind="local", roles={})


def _chain(details: list[dict[str, object]]) -> list[AuditEvent]:
    found: list[AuditEvent] = []
    previous = GENESIS
    for number, one in enumerate(details, 1):
        act = Act(by=_WHO, act="a.b", subject="s", details=one)
        found.append(record(act, number=number, previous=previous, id=f"e{number}", at_ms=number))
        previous = found[-1].hash
    return found


@given(st.lists(_DETAILS, min_size=1, max_size=6))
def test_a_chain_as_written_is_whole(details: list[dict[str, object]]) -> None:
    events = _chain(details)
    assert verify(events) == verify(msgspec.json.decode(msgspec.json.encode(events), type=list[AuditEvent]))
    assert verify(events).broken_at is None and verify(events).head == events[-1].hash


@given(st.lists(_DETAILS, min_size=2, max_size=6), st.data())
def test_any_change_shows(details: list[dict[str, object]], data: st.DataObject) -> None:
    events = _chain(details)
    at = data.draw(st.integers(0, len(events) - 1))
    field = data.draw(st.sampled_from(("actor", "act", "subject", "project", "id", "at_ms", "previous")))
    old = getattr(events[at], field)
    changed = list(events)
    changed[at] = msgspec.structs.replace(events[at], **{field: old + (1 if field == "at_ms" else "x")})
    assert verify(changed).broken_at == at + 1
    if at < len(events) - 1:
        assert verify(events[:at] + events[at + 1 :]).broken_at is not None


@pytest.mark.parametrize("state", ["open", "approved"])
def test_an_approval_ends_by_itself(state: str) -> None:
    approval = Approval(
        id="a", project="p", act="x", subject="s", state=state, asked_by="a", asked_by_name="A",
        created_ms=0, expires_ms=1000,
    )  # type: ignore[arg-type]  # fmt: skip
    assert approval.at(999).state == state and approval.at(1000).state == "expired"


@given(
    st.dictionaries(st.sampled_from(("a", "b", "*")), st.sampled_from(ROLES)),
    st.sampled_from(("a", "b", "*")),
    st.sampled_from(ROLES),
)
def test_roles_include_those_before_them(roles: dict[str, Role], project: str, role: Role) -> None:
    who = Principal(id="p", name="P", kind="account", roles=roles)
    has = [ROLES.index(roles[name]) for name in {project, "*"} if name in roles]
    assert who.may(role, project) == (max(has, default=-1) >= ROLES.index(role))
