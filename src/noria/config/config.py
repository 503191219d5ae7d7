"""The whole of noria.toml as one validated, frozen value."""

from __future__ import annotations

from typing import Any, get_args, get_origin

from noria.config.access import AccessSection
from noria.config.blobs import BlobsSection
from noria.config.budget import BudgetSection
from noria.config.cache import CacheSection
from noria.config.dataset import DatasetSection
from noria.config.encryption import EncryptionSection
from noria.config.engine import EngineSection
from noria.config.eval import EvalSection, GateSection
from noria.config.judge import JudgeSection
from noria.config.limit import LimitsSection
from noria.config.model import ModelSection
from noria.config.monitor import ChannelSection, MonitorSection, SmtpSection
from noria.config.prompt import PromptsSection
from noria.config.provider import ProviderSection
from noria.config.review import QueueSection
from noria.config.route import RouteSection
from noria.config.scorer import ScorerSection
from noria.config.section import ModelId, ModelName, Name, Section
from noria.config.server import ServerSection
from noria.config.study import StudySection
from noria.config.telemetry import TelemetrySection
from noria.core.digest import digest


class Config(Section):
    """All files together. Relative paths are relative to the folder of the root noria.toml."""

    server: ServerSection = ServerSection()
    providers: dict[Name, ProviderSection] = {}
    models: dict[ModelId, ModelSection] = {}
    routes: dict[ModelName, RouteSection] = {}
    engines: dict[Name, EngineSection] = {}
    limits: LimitsSection = LimitsSection()
    budgets: dict[Name, BudgetSection] = {}
    access: AccessSection = AccessSection()
    telemetry: TelemetrySection = TelemetrySection()
    cache: CacheSection = CacheSection()
    encryption: EncryptionSection = EncryptionSection()
    blobs: BlobsSection = BlobsSection()
    prompts: PromptsSection = PromptsSection()
    datasets: dict[Name, DatasetSection] = {}
    evals: dict[Name, EvalSection] = {}
    gates: dict[Name, GateSection] = {}
    studies: dict[Name, StudySection] = {}
    scorers: dict[Name, ScorerSection] = {}
    judges: dict[Name, JudgeSection] = {}
    queues: dict[Name, QueueSection] = {}
    monitors: dict[Name, MonitorSection] = {}
    channels: dict[Name, ChannelSection] = {}
    smtp: SmtpSection | None = None

    def written(self, *, folder: str = "") -> dict[str, Any]:
        """As TOML would hold it, less all that is as the default; for a file in `folder`."""
        return self.model_dump(mode="json", exclude_defaults=True, context={"folder": folder})

    @property
    def digest(self) -> str:
        """Of the content: comments, order, spelling of units and files make no difference."""
        return digest(self.written())


COLLECTIONS = tuple(
    name for name, field in Config.model_fields.items() if get_origin(field.annotation) is dict
)
"""The sections that hold named entries; each entry is in one file."""


def section_of(path: tuple[str | int, ...]) -> type[Section] | None:
    """The section that is written at `path`, or None where there is none."""
    found: Any = Config
    for part in path:
        if isinstance(found, type) and issubclass(found, Section):
            field = found.model_fields.get(str(part))
            found = _inner(field.annotation) if field is not None else None
        elif get_origin(found) in (dict, tuple):
            found = _inner(get_args(found)[1 if get_origin(found) is dict else 0])
        else:
            return None
    return found if isinstance(found, type) and issubclass(found, Section) else None


def _inner(annotation: Any) -> Any:
    """Without Annotated and `| None`."""
    while hasattr(annotation, "__metadata__"):
        annotation = annotation.__origin__
    options = [one for one in get_args(annotation) if one is not type(None)]
    if get_origin(annotation) not in (dict, tuple) and len(options) == 1:
        return _inner(options[0])
    return annotation
