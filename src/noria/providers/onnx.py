"""A small transformer in ONNX with its tokeniser: token ids in, its first output out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from noria.errors import MissingExtra, StateError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

BATCH = 16
"""Texts that are computed at once; longer batches gain nothing on a CPU."""
LONGEST = 512
"""Tokens; what is longer is cut."""

Pair = tuple[str, str]


class OnnxModel:
    """Runs texts, or pairs of texts, in batches of about equal length."""

    def __init__(self, folder: Path, *, threads: int | None = None) -> None:
        """`folder` holds model.onnx and tokenizer.json. Raises MissingExtra or StateError."""
        try:
            runtime: Any = import_module("onnxruntime")
            tokenizers: Any = import_module("tokenizers")
        except ImportError as error:
            raise MissingExtra("Encoding text on this machine", "local") from error
        if not (folder / "model.onnx").is_file():
            raise StateError(f"There is no model in {folder}; pull it again with `noria model pull`.")
        options = runtime.SessionOptions()
        options.intra_op_num_threads = threads or 0
        # Spinning threads make everything else on a small machine wait.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        options.log_severity_level = 3
        try:
            self._session = runtime.InferenceSession(
                str(folder / "model.onnx"), options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:
            # onnxruntime raises a dozen classes of its own for a file that it cannot read.
            raise StateError(f"The model in {folder} cannot be loaded ({error}); pull it again.") from error
        self._tokenizer = tokenizers.Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokenizer.enable_truncation(LONGEST)
        self._tokenizer.no_padding()
        self._inputs = {found.name for found in self._session.get_inputs()}

    def run(
        self,
        texts: Sequence[str] | Sequence[Pair],
        finish: Callable[[NDArray[np.float32]], NDArray[np.float32]],
    ) -> tuple[NDArray[np.float32], int]:
        """`finish` of the model's first output for each text, in the order given, and the tokens in all.

        `finish` gets one batch, [b, tokens, width] or [b, width], and returns [b, …].
        """
        import numpy as np

        encoded = self._tokenizer.encode_batch(list(texts))
        order = sorted(range(len(encoded)), key=lambda number: len(encoded[number].ids))
        made: list[NDArray[np.float32]] = []
        for start in range(0, len(order), BATCH):
            batch = [encoded[number] for number in order[start : start + BATCH]]
            longest = max(len(one.ids) for one in batch)
            ids = np.zeros((len(batch), longest), np.int64)
            mask, types = ids.copy(), ids.copy()
            for row, one in enumerate(batch):
                ids[row, : len(one.ids)] = one.ids
                mask[row, : len(one.ids)] = 1
                types[row, : len(one.ids)] = one.type_ids
            given = {"input_ids": ids, "attention_mask": mask, "token_type_ids": types}
            feed = {name: array for name, array in given.items() if name in self._inputs}
            made.append(finish(self._session.run(None, feed)[0]))
        together = np.concatenate(made)
        ordered = np.empty_like(together)
        ordered[order] = together
        return ordered, sum(len(one.ids) for one in encoded)

    def decode(self, ids: Sequence[int]) -> str:
        """The text of token ids. Raises ValueError for ids that the tokeniser does not have."""
        if any(not 0 <= number < self._tokenizer.get_vocab_size() for number in ids):
            raise ValueError("token id out of range")
        return self._tokenizer.decode(list(ids))
