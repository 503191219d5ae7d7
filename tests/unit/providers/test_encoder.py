"""The encoder and the reranker on their real weights."""

from pathlib import Path

import numpy as np
import pytest

from noria.errors import StateError
from noria.models.weights import known
from noria.providers.encoder import Encoder
from noria.providers.reranker import Reranker
from noria.providers.weights import pull

pytestmark = pytest.mark.weights
pytest.importorskip("onnxruntime")


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    name = "bge-small-en-v1.5"
    return Encoder(pull(name), instruction=known(name).query_instruction or "", threads=1)


def test_vectors_are_float32_of_length_one_in_the_order_of_the_texts(encoder: Encoder) -> None:
    texts = [f"Sentence {number}. " + "word " * (number * 37 % 200) for number in range(40)]
    vectors = encoder.encode(texts)
    assert vectors.shape == (40, 384) and vectors.dtype == np.float32
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(1, abs=1e-5)
    alone = np.concatenate([encoder.encode([text]) for text in texts])
    # int8 activations are scaled by batch, so a text's neighbours move it a little.
    assert (vectors * alone).sum(axis=1).min() > 0.99


def test_what_belongs_together_is_near(encoder: Encoder) -> None:
    passages = encoder.encode(["Paris is the capital of France.", "Bread is baked from flour and water."])
    query = encoder.encode(["What is the capital of France?"], query=True)
    near, far = (query @ passages.T)[0]
    assert near > 0.75 > far
    assert not np.allclose(query, encoder.encode(["What is the capital of France?"]))


def test_no_texts_and_very_long_texts(encoder: Encoder) -> None:
    assert encoder.encode([]).shape == (0, 384)
    vectors, tokens = encoder.encode_counted(["word " * 5000])
    assert vectors.shape == (1, 384) and tokens == 512


def test_the_reranker_puts_the_answer_first() -> None:
    reranker = Reranker(pull("ms-marco-minilm-l-12-v2"), threads=1)
    scores = reranker.score(
        "How is bread made?", ["Paris is in France.", "Bread is baked from flour.", "Cats sleep."]
    )
    assert scores.dtype == np.float32 and scores.argmax() == 1 and scores[1] > 0 > scores[0]
    assert reranker.score("x", []).shape == (0,)


def test_a_folder_without_a_model_is_named(tmp_path: Path) -> None:
    with pytest.raises(StateError, match="noria model pull"):
        Encoder(tmp_path)
