"""Host and Origin, checked even on loopback: no web page elsewhere may speak to Noria (DNS rebinding)."""

from __future__ import annotations

from noria.errors import Forbidden
from noria.gateway.snapshot import Snapshot

_LOOPBACK = frozenset({b"localhost", b"127.0.0.1", b"[::1]"})


def check_origin(headers: dict[bytes, bytes], snapshot: Snapshot) -> bytes:
    """The header lines that a permitted foreign origin needs (CORS), else b"". Raises Forbidden."""
    host = headers.get(b"host", b"").lower()
    name = _name(host)
    if name not in _LOOPBACK and "*" not in snapshot.hosts and name.decode("latin-1") not in snapshot.hosts:
        raise Forbidden(
            f"Host {name.decode('latin-1')!r} is not served; add it to `hosts` in [server] of noria.toml."
        )
    origin = headers.get(b"origin")
    if origin is None or origin.partition(b"://")[2].lower() == host:
        return b""
    if origin.decode("latin-1") in snapshot.origins:
        return (
            b"access-control-allow-origin: %s\r\nvary: origin\r\naccess-control-expose-headers: *\r\n"
            % origin
        )
    raise Forbidden(
        f"Origin {origin.decode('latin-1')!r} may not call; add it to `origins` in [server] of noria.toml."
    )


PREFLIGHT = (
    b"access-control-allow-methods: GET, POST, DELETE\r\naccess-control-allow-headers: *, authorization\r\n"
    b"access-control-max-age: 600\r\n"
)


def _name(host: bytes) -> bytes:
    """The name without its port; of an IPv6 literal with its brackets."""
    if host.startswith(b"["):
        return host[: host.find(b"]") + 1]
    return host.partition(b":")[0]
