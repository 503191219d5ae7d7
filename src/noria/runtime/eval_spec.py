"""From what noria.toml says of an evaluation to the RunSpec that is recorded: names resolved."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec

from noria.config.eval import ConditionSection, EvalScorerSection, EvalSection, EvalTargetSection, GateSection
from noria.config.reference import absolute
from noria.core.digest import digest
from noria.core.example import Example
from noria.datasets.reference import resolve as resolve_dataset
from noria.datasets.store import DatasetReader
from noria.errors import ConfigError, NotFound
from noria.evals.estimate import Estimate, estimate
from noria.evals.gate import Condition, Gate
from noria.evals.run import DatasetRef, RunSpec, TargetSpec
from noria.evals.source import chosen, file_digest, read_file
from noria.evals.targets.model import options
from noria.gateway.snapshot import Snapshot
from noria.prompts.compiled import CompiledPrompt
from noria.prompts.reference import parse_reference
from noria.prompts.store import PromptReader
from noria.prompts.version import PromptVersion
from noria.scoring.resolve import described
from noria.scoring.scorer import ScorerSpec

SAMPLE = 200
"""Examples whose lengths an estimate is made of."""


class Resolver:
    """Looks names up. All raise ConfigError or NotFound, in a sentence."""

    def __init__(
        self,
        *,
        folder: Path,
        prompts: PromptReader,
        datasets: DatasetReader,
        serving: Callable[[], Snapshot],
        scorer: Callable[[str], ScorerSpec | None],
        compile: Callable[[PromptVersion], CompiledPrompt] | None = None,
    ) -> None:
        """`folder` is noria.toml's; `scorer` gives the scorers and judges that it names; `compile` is needed
        for new runs alone."""
        self._compile = compile
        self._folder = folder
        self._prompts = prompts
        self._datasets = datasets
        self._serving = serving
        self._scorer = scorer

    def spec(self, project: str, name: str, section: EvalSection) -> RunSpec:
        """Of a new run."""
        target = section.target
        return RunSpec(
            name=name,
            target=self.target(
                project, EvalTargetSection(model=target) if isinstance(target, str) else target
            ),
            dataset=self.dataset(project, section),
            scorers=tuple(self.scorer(one) for one in section.scorers),
            repeats=section.repeats,
            seed=section.seed,
            concurrency=section.concurrency,
            budget=section.budget,
            max_failed=section.max_failed,
        )

    def target(self, project: str, section: EvalTargetSection) -> TargetSpec:
        version = None if section.prompt is None else self.prompt(project, section.prompt)
        model = section.model or (version.content.model if version is not None else "")
        if section.prompt is not None and not model:
            raise ConfigError(f"The prompt {section.prompt!r} names no model; give the target a `model`.")
        return TargetSpec(
            model=model,
            serves=self.serves(model) if model else "",
            prompt=section.prompt or "",
            prompt_number=0 if version is None else version.number,
            content=None if version is None else version.content,
            compiled=self._compiled(version),
            parameters=section.parameters,
            url=section.url or "",
            headers=section.headers,
            function=section.function or "",
            version=section.version,
            choices=section.choices or "",
            timeout=section.timeout,
        )

    def _compiled(self, version: PromptVersion | None) -> CompiledPrompt | None:
        if version is None or self._compile is None:
            return None
        found = self._compile(version)
        if found.unusable:
            raise ConfigError(found.unusable)
        return found

    def prompt(self, project: str, text: str) -> PromptVersion:
        found = self._prompts.version(project, parse_reference(text))
        if found is None:
            raise NotFound(
                f"There is no prompt version {text!r} in project {project!r}; see `noria prompt list`."
            )
        return found

    def serves(self, model: str) -> str:
        """Digest of all that a route or model leads to now."""
        snapshot = self._serving()
        route = snapshot.routes.get(model)
        if route is None:
            raise NotFound(f"There is no route or model {model!r}; see `noria route list --all`.")
        behind = [snapshot.models[target.model] for target in route.targets]
        what = [(one.upstream, snapshot.providers[one.provider].base_url, one.aliases) for one in behind]
        return digest((route.strategy, [(target.model, target.weight) for target in route.targets], what))

    def dataset(self, project: str, section: EvalSection) -> DatasetRef:
        if section.file is not None:
            path = absolute(section.file, self._folder)
            return DatasetRef(file=path, digest=file_digest(Path(path)), limit=section.limit)
        version, split = resolve_dataset(self._datasets, project, section.dataset or "")
        name = (section.dataset or "").partition("@")[0].partition(":")[0]
        return DatasetRef(
            name=name, number=version.number, digest=version.digest, split=split, limit=section.limit
        )

    def scorer(self, section: EvalScorerSection | str) -> ScorerSpec:
        """Of its type, or of a [scorers.NAME] or [judges.NAME]."""
        if isinstance(section, str):
            section = EvalScorerSection(type=section)
        named = self._scorer(section.type)
        if named is not None:
            spec = msgspec.structs.replace(
                named,
                name=section.name or named.name or section.type,
                arguments={**named.arguments, **section.arguments},
            )
        else:
            spec = ScorerSpec(type=section.type, name=section.name, arguments=section.arguments)
        described(spec)
        return spec

    def examples(self, project: str, dataset: DatasetRef, *, seed: int) -> Iterator[Example]:
        """Streamed, but for a limit, of which so many are kept."""
        found = self._all(project, dataset)
        return iter(chosen(found, limit=dataset.limit, seed=seed)) if dataset.limit else found

    def count(self, project: str, dataset: DatasetRef) -> int:
        if dataset.file:
            count = sum(1 for _ in read_file(Path(dataset.file)))
        else:
            version = self._datasets.version(project, dataset.name, dataset.number)
            if version is None:
                raise NotFound(f"Version {dataset.number} of dataset {dataset.name!r} is no more.")
            count = version.splits.get(dataset.split, 0) if dataset.split else version.examples
        return min(count, dataset.limit) if dataset.limit else count

    def estimate(self, project: str, spec: RunSpec) -> Estimate:
        """Before a run."""
        some = list(islice(self._all(project, spec.dataset), SAMPLE))
        fixed = sum(len(one.template) for one in spec.target.content.messages) if spec.target.content else 0
        lengths = [fixed + len(msgspec.json.encode(one.input)) for one in some]
        prices, most = [], None
        if spec.target.kind == "model":
            snapshot = self._serving()
            route = snapshot.routes.get(spec.target.model)
            models = [snapshot.models[one.model] for one in route.targets] if route is not None else []
            prices = [one.price for one in models]
            asked = options(spec.target)
            bounds = [one.card.max_output for one in models]
            most = asked.get("max_tokens") or asked.get("max_completion_tokens")
            if most is None and all(bounds):
                most = max(bound for bound in bounds if bound)
        return estimate(
            lengths,
            answers=self.count(project, spec.dataset) * spec.repeats,
            most_output=most,
            prices=prices,
            judged=any(_asks_models(one.arguments) for one in spec.scorers),
        )

    def _all(self, project: str, dataset: DatasetRef) -> Iterator[Example]:
        if dataset.file:
            if file_digest(Path(dataset.file)) != dataset.digest:
                raise ConfigError(f"{dataset.file} has changed since the run began; begin another run.")
            return read_file(Path(dataset.file))
        version = self._datasets.version(project, dataset.name, dataset.number)
        if version is None:
            raise NotFound(f"Version {dataset.number} of dataset {dataset.name!r} is no more.")
        return self._datasets.examples(version, split=dataset.split)


def _asks_models(arguments: Mapping[str, Any]) -> bool:
    """Also through another scorer that it names."""
    inner = arguments.get("scorer")
    return "model" in arguments or (isinstance(inner, dict) and _asks_models(inner.get("arguments", {})))


def gate_of(name: str, section: GateSection) -> Gate:
    """As it is checked."""
    return Gate(name=name, eval=section.eval, conditions=tuple(_condition(one) for one in section.conditions))


def _condition(section: ConditionSection) -> Condition:
    return Condition(
        scorer=section.scorer,
        at_least=section.at_least,
        at_most=section.at_most,
        better_than=section.better_than or "",
        no_worse_than=section.no_worse_than or "",
        by=section.by,
        level=section.level,
        tag=section.tag or "",
    )
