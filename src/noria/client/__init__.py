"""The SDK: calls a gateway as one's own programs do."""

from noria.client.about import About, about
from noria.client.answer import Answer, Embeddings, Responded
from noria.client.async_noria import AsyncNoria
from noria.client.datasets import AsyncDataset, Dataset
from noria.client.noria import Noria
from noria.client.once import once
from noria.client.prompts import AsyncPrompt, Prompt, Said
from noria.client.receipt import Receipt
from noria.client.stream import AsyncStream, Stream

__all__ = [
    "About",
    "Answer",
    "AsyncDataset",
    "AsyncNoria",
    "AsyncPrompt",
    "AsyncStream",
    "Dataset",
    "Embeddings",
    "Noria",
    "Prompt",
    "Receipt",
    "Responded",
    "Said",
    "Stream",
    "about",
    "once",
]
