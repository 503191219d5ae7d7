"""METEOR as nltk computes it, which is not METEOR 1.5: same idea, other tokens, weights and paraphrases."""

from __future__ import annotations

import asyncio
import io
import warnings
from collections.abc import Sequence
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

from noria.errors import MissingExtra
from noria.scoring.factory import Unscorable, factory
from noria.scoring.reference import references
from noria.scoring.scorer import Described, Output, Score, Scorer

SYSTEM = Path("/usr/share/wordnet")
"""Where Debian's packages put it."""
# WordNet 3.0's lexicographer files, lexnames(5WN): a table that Debian leaves out and the reader asks for.
_LEXNAMES = {
    "adj": "all pert",
    "adv": "all",
    "noun": (
        "Tops act animal artifact attribute body cognition communication event feeling food group location "
        "motive object person phenomenon plant possession process quantity relation shape state substance "
        "time"
    ),
    "verb": (
        "body change cognition communication competition consumption contact creation emotion motion "
        "perception possession social stative weather"
    ),
}
_NUMBERS = {"noun": 1, "verb": 2, "adj": 3, "adv": 4}


@factory(Described(name="meteor", version="nltk"))
def meteor(*, wordnet: str = "", alpha: float = 0.9, beta: float = 3.0, gamma: float = 0.5) -> Scorer:
    """Words matched as they are, by stem and by synonym, less a penalty for order; the best reference counts.

    `wordnet` is the folder of WordNet 3.0; left out: nltk's own corpus, or that of Debian's package
    `wordnet-base`. English only.
    """
    try:
        module: Any = import_module("nltk.translate.meteor_score")
        words: Any = import_module("nltk.tokenize.destructive").NLTKWordTokenizer().tokenize
    except ImportError as error:
        raise MissingExtra("The scorer meteor", "evals") from error

    async def score(output: Output) -> Sequence[Score]:
        wanted = [words(reference) for reference in references(output.example)]
        # The first look reads 20 MB.
        reader = await asyncio.to_thread(_reader, wordnet)
        value = module.meteor_score(
            wanted, words(output.text), wordnet=reader, alpha=alpha, beta=beta, gamma=gamma
        )
        return (Score(name="meteor", value=float(value)),)

    return score


@cache
def _reader(folder: str) -> Any:
    """nltk's WordNet. Raises Unscorable where there is none."""
    nltk: Any = import_module("nltk.corpus.reader.wordnet")

    class Reader(nltk.WordNetCorpusReader):
        def open(self, file: str) -> Any:
            return io.StringIO(lexnames()) if file == "lexnames" else super().open(file)

        def map_wn(self, version: str = "wordnet") -> None:
            """Numbers of other languages' words, which are not looked up here."""

    root = folder or _found()
    if not Path(root, "data.noun").is_file():
        raise Unscorable(
            f"There is no WordNet in {root}; install Debian's wordnet-base, run "
            "`python -m nltk.downloader wordnet`, or say `wordnet = FOLDER`."
        )
    known: list[str] = import_module("nltk.data").path
    if str(root) not in known:
        known.append(str(root))  # nltk reads nothing outside its own folders and those in this list.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # It warns that other languages are not there.
        return Reader(str(root), None)


@cache
def _found() -> Path:
    """nltk's own, else Debian's; looking takes nltk a second."""
    data: Any = import_module("nltk.data")
    try:
        return Path(str(data.find("corpora/wordnet")))
    except LookupError:
        return SYSTEM


def lexnames() -> str:
    """The table, in the order of its numbers: 00 to 44; the last one is adj.ppl."""
    rows = [(kind, name) for kind, names in _LEXNAMES.items() for name in names.split()]
    rows.append(("adj", "ppl"))
    return "".join(
        f"{number:02d}\t{kind}.{name}\t{_NUMBERS[kind]}\n" for number, (kind, name) in enumerate(rows)
    )
