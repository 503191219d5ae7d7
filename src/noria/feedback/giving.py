"""Give, revise and retract feedback."""

from __future__ import annotations

import math
import re
from typing import Any, get_args

import msgspec

from noria.core.author import Author
from noria.core.clock import Clock
from noria.core.ids import new_id
from noria.core.pages import Page
from noria.errors import Conflict, Forbidden, InvalidRequest, NotFound
from noria.feedback.feedback import Feedback, FeedbackStore, Kind, Said, Sought, Source, Value

_TRACE = re.compile(r"[0-9a-f]{32}")
_SPAN = re.compile(r"[0-9a-f]{16}")
MAX_WORD, MAX_TEXT, MAX_JSON = 200, 100_000, 200_000
"""Characters of a choice, a correction, and of a value or metadata as JSON."""


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody wants to say."""

    kind: str
    trace: str = ""
    span: str = ""
    session: str = ""
    episode: str = ""
    name: str = ""
    value: Value = None
    comment: str = ""
    id: str = ""
    """The client's own; "": it gives none, and sending it twice says it twice."""
    source: Source = "person"
    user: str = ""
    metadata: dict[str, Any] = {}


class Revision(msgspec.Struct, frozen=True, kw_only=True):
    """What is said instead; UNSET stays as it is."""

    value: Value | msgspec.UnsetType = msgspec.UNSET
    comment: str | msgspec.UnsetType = msgspec.UNSET
    metadata: dict[str, Any] | msgspec.UnsetType = msgspec.UNSET


class Feedbacks:
    """Who said what, and what they said before."""

    def __init__(self, store: FeedbackStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def give(self, project: str, draft: Draft, *, by: Author) -> Feedback:
        """As stored. Under an id that was given before, the earlier one if it was the same, else Conflict.

        Raises InvalidRequest with the field's name.
        """
        kind = checked(draft)
        fields: dict[str, Any] = {**msgspec.structs.asdict(draft), "kind": kind}
        given = fields.pop("id") or None
        feedback = Feedback(
            id=new_id("fb"),
            project=project,
            given=given,
            by=by.id,
            by_name=by.name,
            created_ms=self._now(),
            **fields,
        )
        kept = self._store.add(feedback)
        if kept.id != feedback.id and not self._same(kept, feedback):
            raise Conflict(
                f"The project has other feedback under the id {given!r}; to change what was said, revise it.",
                param="id",
            )
        return kept

    def revise(self, project: str, id: str, revision: Revision, *, by: Author) -> Feedback:
        """Say something else instead. Raises NotFound, Conflict, Forbidden (it is somebody else's)."""
        found = self._own(project, id, by, what="revise")
        changes = {name: value for name, value in _set(revision).items() if value != getattr(found, name)}
        if found.retracted:
            raise Conflict("This feedback was retracted; give it anew under another id.")
        if not changes:
            return found
        return self._next(found, changes)

    def retract(self, project: str, id: str, *, by: Author) -> Feedback:
        """Take it back; it no longer counts, and stays in the history. Twice is once."""
        found = self._own(project, id, by, what="retract")
        return found if found.retracted else self._next(found, {"retracted": True})

    def one(self, project: str, id: str) -> Feedback:
        found = self._store.one(project, id)
        if found is None:
            raise NotFound(f"There is no feedback {id!r} in project {project!r}.")
        return found

    def history(self, project: str, id: str) -> list[Feedback]:
        """All revisions, oldest first; the last is what stands."""
        found = self.one(project, id)
        return [*self._store.history(found), found]

    def page(self, project: str, sought: Sought, *, cursor: str | None, limit: int) -> Page[Feedback]:
        """Newest first."""
        found = self._store.page(project, sought, after=cursor, limit=limit + 1)
        return Page(tuple(found[:limit]), found[limit - 1].id if len(found) > limit else None)

    def said(self, project: str, sought: Sought) -> list[Said]:
        """Counts by kind and name, most frequent first."""
        return sorted(self._store.said(project, sought), key=lambda one: (-one.count, one.kind, one.name))

    def _own(self, project: str, id: str, by: Author, *, what: str) -> Feedback:
        found = self.one(project, id)
        if found.by != by.id:
            raise Forbidden(f"Only {found.by_name or 'whoever gave this feedback'} can {what} it.")
        return found

    def _next(self, found: Feedback, changes: dict[str, Any]) -> Feedback:
        changed = msgspec.structs.replace(
            found, **changes, revision=found.revision + 1, revised_ms=self._now()
        )
        checked(_draft(changed))
        if not self._store.revise(changed):
            raise Conflict("This feedback was changed meanwhile; read it again.")
        return changed

    def _same(self, kept: Feedback, sent: Feedback) -> bool:
        """Whether `sent` is what was first said, whatever became of it since, by the same author."""
        first = kept if kept.revision == 1 else self._store.history(kept)[0]
        return kept.by == sent.by and _draft(first) == _draft(sent)

    def _now(self) -> int:
        return self._clock.now_ns() // 1_000_000


def checked(draft: Draft) -> Kind:
    """Its kind. Raises InvalidRequest where it says nothing, or nothing about anything."""
    _check_subject(draft)
    if len(draft.id) > MAX_WORD:
        raise InvalidRequest(f"`id` has {MAX_WORD} characters at most.", param="id")
    for name in ("value", "metadata"):
        if len(msgspec.json.encode(getattr(draft, name))) > MAX_JSON:
            raise InvalidRequest(f"`{name}` is larger than {MAX_JSON:,} characters.", param=name)
    match draft.kind:
        case "thumb":
            if not isinstance(draft.value, bool):
                raise InvalidRequest("A thumb's `value` is true (up) or false (down).", param="value")
            return "thumb"
        case "score":
            number = draft.value
            if isinstance(number, bool) or not isinstance(number, int | float) or not math.isfinite(number):
                raise InvalidRequest("A score's `value` is a finite number.", param="value")
            return "score"
        case "choice":
            word = draft.value
            if not isinstance(word, str) or not word.strip() or len(word) > MAX_WORD:
                raise InvalidRequest(
                    f"A choice's `value` is a word of {MAX_WORD} characters at most.", param="value"
                )
            return "choice"
        case "comment":
            if not draft.comment.strip():
                raise InvalidRequest("A comment says something in `comment`.", param="comment")
            return "comment"
        case "correction" | "demonstration":
            text = draft.value
            empty = text is None or isinstance(text, bool | int | float)
            if empty or not text or (isinstance(text, str) and len(text) > MAX_TEXT):
                raise InvalidRequest(
                    f"A {draft.kind}'s `value` is the text that should have been said, or messages or other "
                    "JSON.",
                    param="value",
                )
            return draft.kind
        case _:
            kinds = ", ".join(get_args(Kind))
            raise InvalidRequest(f"`kind` is one of {kinds}.", param="kind")


def _check_subject(draft: Draft) -> None:
    if draft.trace and not _TRACE.fullmatch(draft.trace):
        raise InvalidRequest("`trace` is 32 lower-case hexadecimal digits.", param="trace")
    if draft.span and not _SPAN.fullmatch(draft.span):
        raise InvalidRequest("`span` is 16 lower-case hexadecimal digits.", param="span")
    if draft.span and not draft.trace:
        raise InvalidRequest("A span is named together with its trace: give `trace` too.", param="trace")
    for name in ("session", "episode", "name", "user"):
        if len(getattr(draft, name)) > MAX_WORD:
            raise InvalidRequest(f"`{name}` has {MAX_WORD} characters at most.", param=name)
    if not (draft.trace or draft.session or draft.episode):
        raise InvalidRequest(
            "Say what the feedback is about: `trace` (and `span`), `session` or `episode`.", param="trace"
        )


def _set(revision: Revision) -> dict[str, Any]:
    values = msgspec.structs.asdict(revision)
    return {name: value for name, value in values.items() if value is not msgspec.UNSET}


def _draft(feedback: Feedback) -> Draft:
    values = msgspec.structs.asdict(feedback)
    kept = {name: values[name] for name in Draft.__struct_fields__ if name != "id"}
    return Draft(id=feedback.given or "", **kept)
