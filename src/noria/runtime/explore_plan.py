"""From a brief and samples to the ExploreSpec that is recorded: candidates looked at, scorers found."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from itertools import islice
from urllib.parse import urlsplit

import msgspec

from noria.config.eval import EvalScorerSection, EvalTargetSection
from noria.config.mistake import nearest
from noria.core.example import Example
from noria.errors import InvalidRequest, NotFound
from noria.evals.estimate import Estimate
from noria.evals.explore.arm import Arm, arms, fields_of
from noria.evals.explore.brief import Brief
from noria.evals.explore.candidates import Candidate, Facts, candidate, chats
from noria.evals.explore.exploration import AGREEING, ExploreSpec, chosen_scorer
from noria.evals.run import DatasetRef
from noria.gateway.snapshot import Model, Provider, Snapshot
from noria.models.price import Price
from noria.runtime.eval_spec import Resolver
from noria.runtime.explore_arm import SAMPLE, behind, estimated
from noria.runtime.judges import Judges
from noria.scoring.resolve import described
from noria.scoring.scorer import ScorerSpec

_LOOPBACK = ("localhost", "127.0.0.1", "::1")


class Planner:
    """Looks names up. All raise InvalidRequest, NotFound or ConfigError, in a sentence."""

    def __init__(self, resolver: Resolver, judges: Judges, snapshot: Snapshot) -> None:
        self._resolver = resolver
        self._judges = judges
        self._snapshot = snapshot

    def candidates(self, names: Sequence[str], brief: Brief) -> list[Candidate]:
        """Those that are named, else every model of the configuration that may chat."""
        chosen = list(dict.fromkeys(names or brief.models)) or self._every()
        if not chosen:
            raise InvalidRequest("noria.toml has no model that can chat; add a provider or an engine to it.")
        found = [
            candidate(name, self.facts(name), brief.constraints, unknown=brief.unknown) for name in chosen
        ]
        return [self._affordable(one, brief.budget) for one in found]

    def facts(self, name: str) -> list[Facts]:
        """Of every model that may answer for a route or model. Raises NotFound with the nearest name."""
        if name not in self._snapshot.routes:
            raise NotFound(
                f"There is no route or model {name!r}{nearest(name, self._snapshot.routes)}", param="models"
            )
        return [
            _facts(model, self._snapshot.providers[model.provider], model.price)
            for model in behind(self._snapshot, name)
        ]

    def _every(self) -> list[str]:
        return [
            id
            for id, model in self._snapshot.models.items()
            if chats(model.card.capabilities) and model.card.status != "retired"
        ]

    def _affordable(self, one: Candidate, budget: Decimal | None) -> Candidate:
        """What has no price cannot be kept within a budget."""
        unpriced = [fact.model for fact in one.facts if fact.price_input is None or fact.price_output is None]
        if budget is None or not unpriced or one.excluded:
            return one
        reason = f"its price is not known, so that it cannot be kept within the budget of ${budget}"
        return msgspec.structs.replace(one, excluded=(reason,))

    def explored(
        self,
        project: str,
        brief: Brief,
        dataset: DatasetRef,
        samples: Sequence[Example],
        *,
        models: Sequence[str] = (),
        seed: int = 0,
        concurrency: int = 4,
        fresh: bool = False,
    ) -> ExploreSpec:
        """An exploration of `samples`, which `dataset` holds."""
        answered = sum(one.expected is not None for one in samples)
        if answered not in (0, len(samples)):
            raise InvalidRequest(
                f"{answered} of {len(samples)} samples have an expected answer; give one to all of them, or "
                "to none.",
                param="samples",
            )
        scorers, measure, why, barred = self._scoring(project, brief, samples)
        candidates = self.candidates(models, brief)
        fields = fields_of([one.input for one in samples])
        if not fields:
            raise InvalidRequest("The samples' inputs have no field in common.", param="samples")
        tried = [one.model for one in candidates if not one.excluded]
        return ExploreSpec(
            brief=brief,
            dataset=dataset,
            samples=len(samples),
            candidates=tuple(candidates),
            arms=tuple(arms(tried, brief, samples=len(samples), answered=bool(answered))),
            scorers=scorers,
            measure=measure,
            why_measure=why,
            barred=barred,
            fields=fields,
            repeats=brief.repeats if measure else max(brief.repeats, AGREEING),
            seed=seed,
            concurrency=concurrency,
            fresh=fresh,
        )

    def compared(
        self,
        project: str,
        brief: Brief,
        dataset: DatasetRef,
        *,
        models: Sequence[str],
        prompt: str = "",
        seed: int = 0,
        concurrency: int = 4,
        fresh: bool = False,
    ) -> ExploreSpec:
        """The same question to several models over a dataset, with a prompt or without."""
        count = self._resolver.count(project, dataset)
        if not count:
            raise InvalidRequest(f"{dataset.shown} has no examples.", param="dataset")
        some = list(islice(self._resolver.examples(project, dataset, seed=seed), SAMPLE))
        scorers, measure, why, barred = self._scoring(project, brief, some)
        candidates = self.candidates(models, brief)
        target = self._resolver.target(
            project, EvalTargetSection(prompt=prompt or None, model=candidates[0].model)
        )
        parameters = {**target.parameters, **brief.parameters}
        return ExploreSpec(
            kind="comparison",
            brief=brief,
            dataset=dataset,
            samples=count,
            candidates=tuple(candidates),
            arms=tuple(Arm(model=one.model) for one in candidates if not one.excluded),
            target=msgspec.structs.replace(target, parameters=parameters),
            scorers=scorers,
            measure=measure,
            why_measure=why,
            barred=barred,
            fields=fields_of([one.input for one in some]),
            repeats=brief.repeats,
            seed=seed,
            concurrency=concurrency,
            fresh=fresh,
        )

    def _scoring(
        self, project: str, brief: Brief, samples: Sequence[Example]
    ) -> tuple[tuple[ScorerSpec, ...], str, str, str]:
        """(scorers, the measure that is the quality, why, why it may decide nothing)."""
        wanted = [*brief.scorers, *([ScorerSpec(type=brief.judge)] if brief.judge else [])]
        known = any(one.expected is not None for one in samples)
        if wanted:
            scorers = [
                self._resolver.scorer(
                    EvalScorerSection(type=one.type, name=one.name, arguments=one.arguments)
                )
                for one in wanted
            ]
            why = "As the brief says."
        elif known:
            chosen = chosen_scorer(samples, brief.answers)
            scorers, why = [chosen.spec], chosen.why
        else:
            return (), "", "No answers are expected and no judge is named: only agreement is measured.", ""
        measures = {
            one.name: (spec, one) for spec in scorers for one in described(spec) if one.kind != "category"
        }
        name = brief.measure or next(iter(measures), "")
        if name not in measures:
            there = ", ".join(measures) or "none that is a number"
            raise InvalidRequest(f"No scorer measures {name!r}; there are {there}.", param="measure")
        return tuple(scorers), name, why, self._judges.barred(project, measures[name][0])

    def estimate(self, project: str, spec: ExploreSpec, samples: Sequence[Example] = ()) -> Estimate:
        """Of all arms together, before they are run; `samples` where they are no dataset yet."""
        every = samples or self._resolver.examples(project, spec.dataset, seed=spec.seed)
        some = list(islice(every, SAMPLE))
        found = [estimated(self._snapshot, spec, arm, some) for arm in spec.arms]
        known = [one.cost for one in found if one.cost is not None]
        return Estimate(
            answers=sum(one.answers for one in found),
            cost=sum(known, Decimal(0)) if len(known) == len(found) else None,
            unknown=next((one.unknown for one in found if one.unknown), ""),
            judged=any(one.judged for one in found),
        )


def _facts(model: Model, provider: Provider, price: Price | None) -> Facts:
    card = model.card
    licence = card.licence
    return Facts(
        model=model.id,
        licence=None if licence is None else licence.name,
        licence_kind=None if licence is None else licence.kind,
        context=card.context,
        max_output=card.max_output,
        parameters=card.parameters,
        capabilities=card.capabilities,
        local=provider.dialect == "engine" or urlsplit(provider.base_url).hostname in _LOOPBACK,
        region=provider.region,
        training=card.training,
        fine_tuning=card.fine_tuning,
        knowledge_cutoff=card.knowledge_cutoff,
        price_input=None if price is None else price.input,
        price_output=None if price is None else price.output,
        price_date=None if price is None else price.date,
        price_source=None if price is None else price.source,
        status=card.status,
    )
