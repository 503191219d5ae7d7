"""The head of an upstream request, with the headers that prove who asks."""

from __future__ import annotations

from noria.gateway.compiled import Endpoint


async def request_head(
    endpoint: Endpoint, path: str, headers: dict[str, str], body: bytes, *, method: str = "POST"
) -> bytes:
    """Request line and headers, as `Transport.send` takes them. Raises UpstreamError(kind="auth")."""
    head = endpoint.head(path, headers, method=method)
    if endpoint.signer is None:
        return head
    signed = await endpoint.signer.headers(
        method=method, host=endpoint.host, path=endpoint.path(path), body=body
    )
    return head + "".join(f"{name}: {value}\r\n" for name, value in signed.items()).encode("latin-1")


def beneath(path: str, below: str, *, query: str = "") -> str:
    """`path`, which may have a query of its own, with more of a path and of a query."""
    plain, _, own = path.partition("?")
    queries = "&".join(filter(None, (own, query)))
    return f"{plain}{below}?{queries}" if queries else plain + below
