"""The local models of a configuration: their weights brought here, and what their processes are told."""

from __future__ import annotations

from pathlib import Path

from noria.config.engine import EngineSection
from noria.config.reference import absolute
from noria.models import sources
from noria.models.weights import Weights, from_source, known
from noria.providers.engine import EngineSpec
from noria.providers.weights import find, pull
from noria.providers.weights.fetch import Report


def weights_of(section: EngineSection, folder: Path) -> Weights:
    """What the engine serves; paths are relative to `folder`."""
    text = section.weights
    if text.startswith("file:"):
        text = "file:" + absolute(text.removeprefix("file:"), folder)
    return from_source(text) if sources.is_source(text) else known(text)


def missing(section: EngineSection, folder: Path) -> bool:
    """Whether the weights must be fetched first."""
    return find(weights_of(section, folder).name) is None


def spec(name: str, section: EngineSection, *, folder: Path, progress: Report) -> EngineSpec:
    """What the engine's process is told; fetches the weights where they are missing."""
    weights = weights_of(section, folder)
    return EngineSpec(
        name=name,
        model=section.model_id().partition("/")[2],
        weights=pull(weights, progress=progress),
        kind=section.kind,
        adapters={adapter: Path(absolute(path, folder)) for adapter, path in section.adapters.items()},
        threads=section.threads or weights.threads,
        context=section.context or weights.context,
        parallel=section.parallel,
        system=section.system or weights.system,
        query_instruction=weights.query_instruction,
    )
