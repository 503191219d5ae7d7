"""Texts as vectors, computed on this machine: bge-small-en-v1.5 as int8 ONNX."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from noria.providers.onnx import OnnxModel

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class Encoder:
    """`folder` is what `weights.pull` returned; `instruction` goes before a query, never before a passage."""

    def __init__(self, folder: Path, *, instruction: str = "", threads: int | None = None) -> None:
        self._model = OnnxModel(folder, threads=threads)
        self._instruction = instruction

    def encode(self, texts: Sequence[str], *, query: bool = False) -> NDArray[np.float32]:
        """Vectors of length 1, float32 [n, 384], in the order of the texts."""
        return self.encode_counted(texts, query=query)[0]

    def encode_counted(self, texts: Sequence[str], *, query: bool = False) -> tuple[NDArray[np.float32], int]:
        """The vectors, and how many tokens were read."""
        import numpy as np

        if not texts:
            return np.zeros((0, 384), np.float32), 0
        given = [self._instruction + text for text in texts] if query else texts
        return self._model.run(given, _first_token)

    def text(self, ids: Sequence[int]) -> str:
        """The text of token ids. Raises ValueError for ids that the tokeniser does not have."""
        return self._model.decode(ids)


def _first_token(states: NDArray[np.float32]) -> NDArray[np.float32]:
    """The state of [CLS], scaled to length 1 (model card of BAAI/bge-small-en-v1.5)."""
    import numpy as np

    first = states[:, 0]
    return (first / np.linalg.norm(first, axis=1, keepdims=True)).astype(np.float32)
