"""Prompts: the catalogue, versions, what differs, what is doubtful, and how one renders."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any, Literal

import msgspec
from fastapi import APIRouter, Query
from fastapi.responses import PlainTextResponse, Response
from pydantic import BaseModel, Field

from noria.errors import InvalidRequest
from noria.prompts.compiled import turns
from noria.prompts.diff import Diff, diff
from noria.prompts.file import PromptFile, write
from noria.prompts.lint import Known, lint
from noria.prompts.prompt import Prompt
from noria.prompts.reference import LATEST, parse_reference
from noria.prompts.tokens import METHOD, estimate
from noria.prompts.version import PromptContent, PromptVersion
from noria.server.api.body import Body
from noria.server.api.caller import Editor, Parts, Project, Viewer
from noria.server.api.jobs import JobBody, job_body
from noria.server.api.prompt_labels import LabelBody, label_body

router = APIRouter(prefix="/api/prompts", tags=["prompts"])

At = Annotated[str, Query(max_length=120, description="A version's number, a label, a branch, or latest.")]
Words = Annotated[list[str], Field(max_length=50)]


class MessageBody(Body):
    role: Literal["system", "developer", "user", "assistant"]
    template: str = Field(max_length=200_000)
    """Jinja text."""


class ContentBody(Body):
    """All that makes a version what it is."""

    messages: list[MessageBody] = Field(min_length=1, max_length=100)
    variables: dict[str, Any] = {}
    """JSON Schema of the variables, an object schema."""
    model: str = Field("", max_length=200)
    parameters: dict[str, Any] = {}
    """Keys of a chat completion."""
    tools: list[dict[str, Any]] = Field(default=[], max_length=128)
    response_format: dict[str, Any] | None = None
    technique: dict[str, Any] = {}


class VersionContent(ContentBody):
    includes: dict[str, str] = {}
    """Digests of the prompts that it is composed of, by the reference as written."""


class PromptBody(BaseModel):
    name: str
    description: str
    tags: list[str]
    owners: list[str]
    created_ms: int
    updated_ms: int
    latest: int
    """Number of the newest version; 0: none yet."""
    labels: list[LabelBody]


class PromptList(BaseModel):
    items: list[PromptBody]
    next: str | None


class VersionBody(BaseModel):
    prompt: str
    number: int
    digest: str
    content: VersionContent
    branch: str
    parent: str
    """Digest of the version that it was made from."""
    comment: str
    by: str
    by_name: str
    created_ms: int
    tokens: int
    """Of the text as it stands, by `method`."""
    method: str


class VersionList(BaseModel):
    items: list[VersionBody]
    next: str | None


class PromptView(BaseModel):
    prompt: PromptBody
    branches: dict[str, int]
    """Number of the newest version, by branch."""
    version: VersionBody | None
    """The newest of the branch `main`."""


class VersionRequest(Body):
    content: ContentBody
    branch: str = Field("main", min_length=1, max_length=120)
    parent: str = Field("", max_length=80)
    comment: str = Field("", max_length=2000)


class NewVersion(BaseModel):
    version: VersionBody
    created: bool
    """False: the branch's newest version has this content already."""


class Description(Body):
    description: str = Field("", max_length=5000)
    tags: Words = []
    owners: Words = []


class PieceBody(BaseModel):
    change: Literal["same", "added", "removed"]
    text: str


class MessageDiffBody(BaseModel):
    number: int
    role_before: str
    role_after: str
    change: Literal["same", "changed", "added", "removed"]
    lines: list[str]
    """A unified diff without its head."""
    words: list[PieceBody]
    tokens_before: int
    tokens_after: int


class FieldDiffBody(BaseModel):
    path: str
    before: Any
    after: Any


class DiffBody(BaseModel):
    same: bool
    before: int
    after: int
    messages: list[MessageDiffBody]
    fields: list[FieldDiffBody]
    tokens_before: int
    tokens_after: int
    method: str


class LintRequest(Body):
    content: ContentBody | None = None
    """Left out: that of the version `at`."""
    at: str = Field(LATEST, max_length=120)
    tags: Words | None = None
    """By which the policy's rules are chosen; left out: those of the prompt."""
    models: list[str] = Field(default=[], max_length=50)
    """To be priced for; empty: the model that the prompt names, as far as it is known."""


class FindingBody(BaseModel):
    code: str
    severity: Literal["error", "warning", "note"]
    message: str
    where: str


class ModelCostBody(BaseModel):
    model: str
    tokens: int
    input_cost: str | None
    """Dollars for the input of a thousand calls, variables not counted; null: the price is not known."""
    context: int | None
    method: str


class LintBody(BaseModel):
    ok: bool
    """Whether there is no error among the findings."""
    findings: list[FindingBody]
    tokens: int
    method: str
    models: list[ModelCostBody]


class Prepared(BaseModel):
    ready: bool
    job: JobBody | None
    """To wait for where it is not ready."""


class RenderRequest(Body):
    content: ContentBody | None = None
    """Left out: that of the version `at`."""
    at: str = Field(LATEST, max_length=120)
    variables: dict[str, Any] = {}


class TurnBody(BaseModel):
    role: Literal["system", "developer", "user", "assistant"]
    text: str


class Rendered(BaseModel):
    messages: list[TurnBody]
    model: str
    parameters: dict[str, Any]
    tokens: int
    method: str
    chosen: bool
    """False: the examples depend on the call and are chosen when it is made; they are not shown here."""


@router.get("")
def list_prompts(
    parts: Parts,
    who: Viewer,
    project: Project = "default",
    search: Annotated[str, Query(max_length=200)] = "",
    tag: Annotated[str, Query(max_length=200)] = "",
    owner: Annotated[str, Query(max_length=200)] = "",
    cursor: Annotated[str | None, Query(max_length=200)] = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> PromptList:
    """By name."""
    page = parts.prompts.store.prompts(
        project, search=search, tag=tag, owner=owner, cursor=cursor, limit=limit
    )
    labels = parts.prompts.store.labels(project)
    return PromptList(
        items=[
            _prompt(one, [label_body(label, parts) for label in labels if label.prompt == one.name])
            for one in page.items
        ],
        next=page.next,
    )


@router.get("/{name}")
def read_prompt(parts: Parts, who: Viewer, name: str, project: Project = "default") -> PromptView:
    found = parts.prompts.prompt(project, name)
    labels = [label_body(one, parts) for one in parts.prompts.store.labels(project, name)]
    newest = parts.prompts.store.version(project, parse_reference(f"{name}@{LATEST}"))
    return PromptView(
        prompt=_prompt(found, labels),
        branches=parts.prompts.store.branches(project, name),
        version=None if newest is None else _version(newest),
    )


@router.put("/{name}")
def describe_prompt(
    parts: Parts, who: Editor, name: str, body: Description, project: Project = "default"
) -> PromptBody:
    """What the catalogue says of it; a prompt that there is not is made, without a version."""
    found = parts.prompts.describe(
        project, name, description=body.description, tags=body.tags, owners=body.owners, by=who
    )
    return _prompt(found, [label_body(one, parts) for one in parts.prompts.store.labels(project, name)])


@router.get("/{name}/versions")
def list_prompt_versions(
    parts: Parts,
    who: Viewer,
    name: str,
    project: Project = "default",
    branch: Annotated[str, Query(max_length=120)] = "",
    cursor: Annotated[str | None, Query(max_length=20)] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> VersionList:
    """Newest first."""
    parts.prompts.prompt(project, name)
    page = parts.prompts.store.versions(project, name, branch=branch, cursor=cursor, limit=limit)
    return VersionList(items=[_version(one) for one in page.items], next=page.next)


@router.post("/{name}/versions", status_code=201)
def create_prompt_version(
    parts: Parts, who: Editor, name: str, body: VersionRequest, project: Project = "default"
) -> NewVersion:
    """The same content as the branch's newest version makes none."""
    version, created = parts.prompts.commit(
        project,
        name,
        _content(body.content),
        branch=body.branch,
        parent=body.parent,
        comment=body.comment,
        by=who,
    )
    return NewVersion(version=_version(version), created=created)


@router.get("/{name}/versions/{at}")
def read_prompt_version(
    parts: Parts, who: Viewer, name: str, at: str, project: Project = "default"
) -> VersionBody:
    """`at` is a number, a label, a branch, or latest."""
    return _version(_at(parts, project, name, at))


@router.get("/{name}/versions/{at}/file", response_class=PlainTextResponse)
def read_prompt_file(parts: Parts, who: Viewer, name: str, at: str, project: Project = "default") -> str:
    """As `prompts/<name>.md` holds it."""
    version = _at(parts, project, name, at)
    found = parts.prompts.prompt(project, name)
    return write(
        PromptFile(
            content=version.content, description=found.description, tags=found.tags, owners=found.owners
        )
    )


@router.get("/{name}/versions/{at}/compiled", response_class=Response)
def read_compiled_prompt(
    parts: Parts, who: Viewer, name: str, at: str, project: Project = "default"
) -> Response:
    """What the SDK renders from."""
    compiled = parts.prompts.compile(_at(parts, project, name, at))
    return Response(msgspec.json.encode(compiled), media_type="application/json")


@router.post("/{name}/versions/{at}/prepare")
def prepare_prompt_version(
    parts: Parts, who: Editor, name: str, at: str, project: Project = "default"
) -> Prepared:
    """Begin what must be done before a label can move to it: embedding the examples that it chooses from."""
    job = parts.prompts.prepare(_at(parts, project, name, at), by=who)
    return Prepared(ready=job is None, job=None if job is None else job_body(job))


@router.get("/{name}/diff")
def diff_prompt(
    parts: Parts, who: Viewer, name: str, before: At, after: At = LATEST, project: Project = "default"
) -> DiffBody:
    """What differs between two versions."""
    old, new = _at(parts, project, name, before), _at(parts, project, name, after)
    return _diff(diff(old.content, new.content), old.number, new.number)


@router.post("/{name}/lint")
def lint_prompt(
    parts: Parts, who: Viewer, name: str, body: LintRequest, project: Project = "default"
) -> LintBody:
    """What is doubtful about a version, or about a content that is none yet."""
    content = _content(body.content) if body.content else _at(parts, project, name, body.at).content
    known = parts.prompts.store.prompt(project, name)
    tags = body.tags if body.tags is not None else list(known.tags) if known is not None else []
    found = lint(
        content,
        compile=lambda one: parts.prompts.whole(project, name, one)[1],
        rules=parts.prompts.rules(),
        tags=tags,
        models=_models(parts, content, body.models),
    )
    return LintBody(
        ok=found.ok,
        findings=[FindingBody(**msgspec.structs.asdict(one)) for one in found.findings],
        tokens=found.tokens,
        method=found.method,
        models=[
            ModelCostBody(
                model=one.model, tokens=one.tokens, input_cost=_money(one.input_cost), context=one.context,
                method=one.method,
            )
            for one in found.models
        ],
    )  # fmt: skip


@router.post("/{name}/render")
def render_prompt(
    parts: Parts, who: Viewer, name: str, body: RenderRequest, project: Project = "default"
) -> Rendered:
    """The messages that a model would be given."""
    if body.content:
        _, compiled = parts.prompts.whole(project, name, _content(body.content))
    else:
        compiled = parts.prompts.compile(_at(parts, project, name, body.at))
    found = turns(compiled, body.variables)
    return Rendered(
        messages=[TurnBody(role=one.role, text=one.text) for one in found],
        model=compiled.model,
        parameters=compiled.parameters,
        tokens=sum(estimate(one.text) for one in found),
        method=METHOD,
        chosen=not compiled.pool,
    )


def _at(parts: Parts, project: str, name: str, at: str) -> PromptVersion:
    return parts.prompts.version(project, parse_reference(f"{name}@{at}"))


def _content(body: ContentBody) -> PromptContent:
    try:
        return msgspec.convert(body.model_dump(exclude_unset=True), PromptContent)
    except msgspec.ValidationError as error:
        raise InvalidRequest(f"`content` is not understood: {error}.", param="content") from None


def _models(parts: Parts, content: PromptContent, named: list[str]) -> dict[str, Known]:
    """By id; a route stands for its first target."""
    serving = parts.serving()
    found: dict[str, Known] = {}
    for name in named or ([content.model] if content.model else []):
        route = serving.routes.get(name)
        model = serving.models.get(route.targets[0].model if route is not None else name)
        if model is not None:
            found[name] = Known(card=model.card, price=model.price)
        elif named:
            raise InvalidRequest(f"There is no route or model {name[:200]!r}.", param="models")
    return found


def _money(amount: Decimal | None) -> str | None:
    return None if amount is None else f"{amount.normalize():f}"


def _prompt(prompt: Prompt, labels: list[LabelBody]) -> PromptBody:
    values = msgspec.to_builtins(prompt)
    del values["project"]
    return PromptBody(**values, labels=labels)


def _version(version: PromptVersion) -> VersionBody:
    values = msgspec.structs.asdict(version)
    del values["project"]
    tokens = sum(estimate(one.template) for one in version.content.messages)
    values["content"] = msgspec.json.decode(msgspec.json.encode(version.content))
    return VersionBody(**values, tokens=tokens, method=METHOD)


def _diff(found: Diff, before: int, after: int) -> DiffBody:
    return DiffBody(
        same=found.same,
        before=before,
        after=after,
        **msgspec.to_builtins(found),
    )
