"""What a worker writes into its spool, and the collector turns into spans, ledger and rollups.

Four record types, each one msgpack array with its tag first: `Begin` before an upstream call, `End` after,
`Stored` for what the stored sub-resources return, `Otlp` for what senders post. Times are Unix nanoseconds.
A Begin without its End is settled by the collector alone, when it has drained the dead writer's segments:
at usage estimated from what was received, else at the bound; its span is marked unconfirmed.
"""

from __future__ import annotations

import msgspec

from noria.core.usage import Usage


class Record(msgspec.Struct, frozen=True, array_like=True):
    pass


class Reservation(Record, frozen=True):
    """`nano` nano-dollars held in one counter row until the attempt is settled."""

    row: bytes
    """16 bytes: hash of budget, subject and window."""
    budget: str
    subject: str
    window_start: int
    """Unix seconds."""
    nano: int


class Begin(Record, tag="b", frozen=True):
    """An attempt is about to be sent."""

    trace: bytes
    root: bytes
    """Span id of the call."""
    span: bytes
    """Span id of the attempt."""
    at: int
    key: str
    route: str
    target: str
    """Model id, `provider/name`."""
    price: str
    """Price id, or "" where no price is known."""
    bound_nano: int
    """-1 where there is no finite bound."""
    reservations: tuple[Reservation, ...] = ()
    project: str = ""
    team: str = ""
    user: str = ""
    config: str = ""


class Attempt(Record, frozen=True):
    """One upstream attempt, ended."""

    span: bytes
    start: int
    end: int
    target: str
    provider: str
    model: str
    """The name sent upstream."""
    dialect: str
    outcome: str
    """One of "ok", "error", "aborted" (the caller hung up), "abandoned" (another attempt took over)."""
    status: int = 0
    error_kind: str = ""
    error: str = ""
    usage: Usage | None = None
    cost: str | None = None
    """Dollars as a decimal; None: unknown."""
    price: str = ""
    first_token: int = 0
    """Unix nanoseconds; 0: none arrived."""
    response_model: str = ""
    upstream_id: str = ""
    reservations: tuple[Reservation, ...] = ()
    chunks: int = 0
    """Stream events received."""
    sent: bytes = b""
    """The translated upstream body, where it is kept and differs from the caller's."""


class Prompted(Record, frozen=True):
    """The version of a prompt that a call was made with."""

    name: str
    number: int
    label: str
    digest: str


class Call(Record, frozen=True):
    """The whole call, as the caller saw it."""

    trace: bytes
    span: bytes
    parent: bytes
    """Empty: the call is the trace's root."""
    start: int
    end: int
    operation: str
    """gen_ai.operation.name: "chat", "text_completion", "embeddings", "generate_content"."""
    dialect: str
    """The front dialect: "openai", "responses", "anthropic", "completions", "embeddings"."""
    route: str
    model: str
    """As the caller asked."""
    target: str
    """Model id that answered, or "" where none did."""
    status: int
    """HTTP status given to the caller; 499 where the caller hung up."""
    stream: bool
    key: str
    project: str
    team: str
    user: str
    session: str
    episode: str
    tags: dict[str, str]
    cache: str
    """One of "hit", "miss", "off" or "bypass"."""
    attempts: int
    """In all, those that earlier End records carried included."""
    usage: Usage | None
    cost: str | None
    first_token: int
    stop_reason: str
    error_kind: str
    error: str
    config: str
    """Digest of the configuration that served it."""
    strategy: str = ""
    propensity: float = 1.0
    """Probability with which the route chose this target first."""
    weights: dict[str, float] = {}
    """The candidates' weights at the choice, by model id."""
    request: bytes = b""
    """Body as received, where captured."""
    response: bytes = b""
    """Body as sent, where captured; of a stream the frames as sent."""
    captured: str = "metadata"
    """One of "full", "metadata", or "shed" where the spool was short of room."""
    excluded: dict[str, str] = {}
    """Targets that a rule excluded, with the reason."""
    warnings: tuple[str, ...] = ()
    agent: str = ""
    """The caller's User-Agent."""
    prompt: Prompted | None = None


class End(Record, tag="e", frozen=True):
    """Attempts that have ended since the last record of this call, and the call itself when it has."""

    trace: bytes
    root: bytes
    attempts: tuple[Attempt, ...] = ()
    call: Call | None = None


KEPT_ANSWER = "answer"
"""Kind of a Stored that answers a call again which has an idempotency key; nobody can fetch it by its id."""


class Stored(Record, tag="s", frozen=True):
    """Something that a caller may fetch again: a response, chat completion or message. Never shed."""

    id: str
    kind: str
    """One of "response", "chat.completion" or KEPT_ANSWER."""
    project: str
    key: str
    at: int
    body: bytes
    """The JSON object to return."""
    input: bytes = b""
    """JSON array of the input items or messages."""
    model: str = ""
    trace: bytes = b""
    metadata: dict[str, str] = {}
    provider: str = ""
    """Where the provider keeps its own copy, its name."""
    deleted: bool = False


class Otlp(Record, tag="o", frozen=True):
    """An export request as posted, decompressed."""

    signal: str
    """One of "traces" or "logs"."""
    json: bool
    project: str
    key: str
    at: int
    body: bytes


SpoolRecord = Begin | End | Stored | Otlp
