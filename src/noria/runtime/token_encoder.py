"""The encoders of this machine as BERTScore wants them: the states of every token."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from noria.errors import UserError
from noria.providers.onnx import OnnxModel
from noria.providers.weights import cache

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class LocalTokens:
    """scoring.calls.TokenEncoder."""

    def __init__(self, name: str) -> None:
        """Raises UserError where the weights are not on this machine, MissingExtra without onnxruntime."""
        stored = cache.find(name)
        if stored is None:
            raise UserError(f"BERTScore needs the encoder {name}; run `noria model pull {name}`.")
        self._model = OnnxModel(stored.path)

    def tokens(self, texts: Sequence[str]) -> Sequence[NDArray[np.float32]]:
        found: list[NDArray[np.float32]] = []

        def keep(states: NDArray[np.float32]) -> NDArray[np.float32]:
            found.append(states[0].copy())
            return states[:, :1]

        for text in texts:  # One at a time: alone a text has no padding among its tokens.
            self._model.run([text], keep)
        return found
