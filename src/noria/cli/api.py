"""The command line's way to the control process: HTTP over its unix socket, acting as the machine's owner."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from noria.errors import Unreachable, UserError
from noria.runtime.unix_http import UnixConnection
from noria.storage.home import Home

TIMEOUT = 60.0
"""Seconds for one answer."""


class Api:
    """Calls of the API. Every method raises UserError with the API's own sentence, or Unreachable."""

    def __init__(self, home: Home, *, project: str = "default") -> None:
        self._home = home
        self._project = project

    def get(self, path: str, **query: object) -> Any:
        return self._json("GET", path, query)

    def post(self, path: str, body: object | None = None, **query: object) -> Any:
        return self._json("POST", path, query, body)

    def put(self, path: str, body: object, **query: object) -> Any:
        return self._json("PUT", path, query, body)

    def patch(self, path: str, body: object, **query: object) -> Any:
        return self._json("PATCH", path, query, body)

    def delete(self, path: str, **query: object) -> Any:
        return self._json("DELETE", path, query)

    def text(self, path: str, **query: object) -> str:
        """An answer that is not JSON."""
        return self._send("GET", path, query, None).read().decode()

    def chunks(self, path: str, **query: object) -> Iterator[bytes]:
        """An answer as it comes."""
        answer = self._send("GET", path, query, None)
        try:
            while part := answer.read1(1 << 16):
                yield part
        except (OSError, HTTPException) as error:
            raise Unreachable(f"The answer broke off ({error}); what was written is not whole.") from None

    def pages(self, path: str, **query: object) -> Iterator[Any]:
        """Every item of a list that is read in pages."""
        cursor: str | None = None
        while True:
            page = self.get(path, cursor=cursor, **query)
            yield from page["items"]
            cursor = page.get("next")
            if not cursor:
                return

    def _json(self, method: str, path: str, query: dict[str, object], body: object | None = None) -> Any:
        data = self._send(method, path, query, body).read()
        return json.loads(data) if data else None

    def _send(self, method: str, path: str, query: dict[str, object], body: object | None) -> HTTPResponse:
        asked = {
            "project": self._project,
            **{name: value for name, value in query.items() if value is not None},
        }
        headers = {"authorization": f"Bearer {self._token()}"}
        data = None
        if body is not None:
            data = json.dumps(body).encode()
            headers["content-type"] = "application/json"
        connection = UnixConnection(self._home.run / "control.sock", timeout=TIMEOUT)
        try:
            connection.request(method, f"{path}?{urlencode(asked)}", body=data, headers=headers)
            answer = connection.getresponse()
        except (OSError, HTTPException) as error:
            raise Unreachable(
                f"No Noria answers for {self._home.folder} ({error}); start it with `noria up`."
            ) from None
        if answer.status >= 400:
            raise UserError(_sentence(answer.read(), answer.status))
        return answer

    def _token(self) -> str:
        try:
            return (self._home.run / "local-token").read_text().strip()
        except FileNotFoundError:
            raise Unreachable(f"No Noria runs for {self._home.folder}; start it with `noria up`.") from None


def here(config: Path | None = None) -> Api:
    """The API of the Noria whose noria.toml is in this folder, or at `config`."""
    path = config or Path(os.environ.get("NORIA_CONFIG", "noria.toml"))
    return Api(Home.beside(path), project=os.environ.get("NORIA_PROJECT", "default"))


def _sentence(body: bytes, status: int) -> str:
    try:
        return str(json.loads(body)["error"]["message"])
    except (ValueError, KeyError, TypeError):
        return f"The control process answered {status}."
