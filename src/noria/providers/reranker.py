"""How well texts answer a query, judged on this machine: ms-marco-MiniLM-L-12-v2 as int8 ONNX."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from noria.providers.onnx import OnnxModel

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class Reranker:
    """`folder` is what `weights.pull` returned."""

    def __init__(self, folder: Path, *, threads: int | None = None) -> None:
        self._model = OnnxModel(folder, threads=threads)

    def score(self, query: str, texts: Sequence[str]) -> NDArray[np.float32]:
        """Relevance of each text to the query, float32 [n], as a logit: higher is better, 0 is even."""
        return self.score_counted(query, texts)[0]

    def score_counted(self, query: str, texts: Sequence[str]) -> tuple[NDArray[np.float32], int]:
        """The scores, and how many tokens were read."""
        import numpy as np

        if not texts:
            return np.zeros(0, np.float32), 0
        return self._model.run([(query, text) for text in texts], lambda logits: logits[:, 0])
