"""What curation steps are given in each process of a build: this Noria's models, its secret, its folders."""

from __future__ import annotations

import asyncio
import hmac
import threading
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from noria.client import AsyncNoria
from noria.datasets.curation.step import Answered, Tools, Vectors
from noria.errors import Unreachable
from noria.runtime.own_calls import own_client
from noria.runtime.sealing import read_seal
from noria.storage.home import Home

T = TypeVar("T")
FOLDER = "curation"
"""Within the home: a folder a build, and ANSWERS."""
ANSWERS = "answers"


class MakeTools(msgspec.Struct, frozen=True, kw_only=True):
    """A value that goes to each process and makes its tools there."""

    home: str
    project_folder: str
    """Of noria.toml."""
    project: str
    by: str
    by_name: str

    def __call__(self, folder: Path) -> Tools:
        home = Home(Path(self.home))
        models = _Models(home, self)
        return Tools(
            folder=folder,
            calls=home.folder / FOLDER / ANSWERS,
            project=Path(self.project_folder),
            embed=models.embed,
            chat=models.chat,
            seal=read_seal(),
            secret=vault_secret(home, self.project),
        )


def vault_secret(home: Home, project: str) -> bytes:
    """Under which a project's tokens of personal data are made; each project's differ."""
    return hmac.digest(home.pepper(), b"noria curation vault " + project.encode(), "sha256")


class _Models:
    """Calls of the client from plain code, in several threads; its loop runs from the first call on."""

    def __init__(self, home: Home, who: MakeTools) -> None:
        self._home = home
        self._who = who
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._client: AsyncNoria | None = None

    def embed(self, model: str, texts: Sequence[str]) -> Vectors:
        return self._call(lambda client: client.embeddings(model, texts)).vectors

    def chat(self, model: str, system: str, user: str) -> Answered:
        messages = [{"role": "system", "content": system}, {"role": "user", "content": user}]
        answer = self._call(lambda client: client.chat(model, messages))
        return Answered(answer.text, None if answer.cost is None else float(answer.cost))

    def _call(self, make: Callable[[AsyncNoria], Coroutine[Any, Any, T]]) -> T:
        loop, client = self._ready()
        return asyncio.run_coroutine_threadsafe(make(client), loop).result()

    def _ready(self) -> tuple[asyncio.AbstractEventLoop, AsyncNoria]:
        with self._lock:
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                threading.Thread(target=self._loop.run_forever, daemon=True).start()
            if self._client is None:
                self._client = asyncio.run_coroutine_threadsafe(self._opened(), self._loop).result()
            return self._loop, self._client

    async def _opened(self) -> AsyncNoria:
        """On the loop that it is used on."""
        try:
            return own_client(
                self._home, project=self._who.project, by=self._who.by, by_name=self._who.by_name
            )
        except Unreachable as error:
            raise Unreachable(f"A step calls a model: {error}") from None
