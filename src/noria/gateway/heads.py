"""The head of an upstream request, with the headers that prove who asks."""

from __future__ import annotations

from noria.gateway.compiled import Endpoint


async def request_head(endpoint: Endpoint, path: str, headers: dict[str, str], body: bytes) -> bytes:
    """Request line and headers, as `Transport.send` takes them. Raises UpstreamError(kind="auth")."""
    head = endpoint.head(path, headers)
    if endpoint.signer is None:
        return head
    signed = await endpoint.signer.headers(
        method="POST", host=endpoint.host, path=endpoint.path(path), body=body
    )
    return head + "".join(f"{name}: {value}\r\n" for name, value in signed.items()).encode("latin-1")
