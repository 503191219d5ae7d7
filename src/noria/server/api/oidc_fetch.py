"""HTTP for OpenID Connect sign-in."""

from __future__ import annotations

from collections.abc import Mapping

from noria.errors import UpstreamError

_MOST = 1 << 20
"""Bytes of an answer."""


def fetch(
    url: str, *, form: Mapping[str, str] | None = None, headers: Mapping[str, str] | None = None
) -> bytes:
    """access.oidc.Fetch; honours the environment's proxies and certificates, and follows no redirect."""
    import httpx2

    try:
        with httpx2.Client(timeout=10.0, follow_redirects=False) as http:
            answer = http.request(
                "GET" if form is None else "POST", url, data=form, headers=dict(headers or {})
            )
    except httpx2.HTTPError as error:
        raise UpstreamError(
            f"The sign-in provider at {url} does not answer: {error}.", kind="connect"
        ) from error
    if not 200 <= answer.status_code < 300 or len(answer.content) > _MOST:
        raise UpstreamError(
            f"The sign-in provider answers {answer.status_code} at {url}.",
            kind="server",
            status=answer.status_code,
            body=answer.content[:65_536],
        )
    return answer.content
