"""An Arm: one candidate in one technique, and the prompt that it is asked with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from noria.evals.explore.brief import Brief, Technique
from noria.prompts.technique import Reasoning, Shots, written
from noria.prompts.technique import Technique as PromptTechnique
from noria.prompts.version import PromptContent, PromptMessage


class Arm(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is run: a model and a way to ask it."""

    model: str
    technique: Technique = "zero-shot"
    shots: int = 0
    """Examples shown, of few-shot."""

    @property
    def way(self) -> str:
        return f"{self.shots}-shot" if self.technique == "few-shot" else self.technique

    @property
    def name(self) -> str:
        return f"{self.model}, {self.way}"


def arms(models: Sequence[str], brief: Brief, *, samples: int, answered: bool) -> list[Arm]:
    """Of every model. Few-shot needs samples whose answers are known, one less than there are: a sample is
    never shown its own answer."""
    most = samples - 1
    counts = sorted({min(one, most) for one in brief.shots if most > 0}) if answered else []
    found: list[Arm] = []
    for model in models:
        for technique in brief.techniques:
            if technique == "few-shot":
                found += [Arm(model=model, technique=technique, shots=count) for count in counts]
            else:
                found.append(Arm(model=model, technique=technique))
    return found


def content(brief: Brief, arm: Arm, fields: Sequence[str], *, dataset: str = "") -> PromptContent:
    """The prompt of an arm; `fields` are those of the samples' inputs, `dataset` is name@number."""
    technique = PromptTechnique()
    if arm.technique == "few-shot":
        technique = PromptTechnique(examples=Shots(choose="random", k=arm.shots, dataset=dataset))
    elif arm.technique == "chain of thought":
        technique = PromptTechnique(reasoning=Reasoning())
    tokens = brief.max_tokens + (brief.reasoning_tokens if technique.reasoning is not None else 0)
    return PromptContent(
        messages=(
            PromptMessage(role="system", template=raw(instructions(brief))),
            PromptMessage(role="user", template=question(fields)),
        ),
        model=arm.model,
        parameters={"max_tokens": tokens, **brief.parameters},
        technique=written(technique),
    )


def instructions(brief: Brief) -> str:
    """What the model is told: the brief's own words, and the answers that there are."""
    if not brief.answers:
        return brief.task
    listed = "\n".join(brief.answers)
    return f"{brief.task}\n\nAnswer with exactly one of these, and nothing else:\n{listed}"


def question(fields: Sequence[str]) -> str:
    """A template that shows an input: its only field as it is, several by name, a conversation by turns."""
    if "messages" in fields:
        rest = [name for name in fields if name != "messages"]
        turns = "{% for one in messages %}{{ one.role }}: {{ one.content }}\n{% endfor %}"
        return question(rest) + "\n\n" + turns if rest else turns
    if len(fields) == 1:
        return _shown(fields[0])
    return "\n\n".join(f"{raw(name)}:\n{_shown(name)}" for name in fields)


def _shown(name: str) -> str:
    # Every variable is a text, or is shown as JSON.
    return f"{{{{ {name} if {name} is string else {name} | tojson }}}}"


def raw(text: str) -> str:
    """The text as a template that says just that, whatever marks it has."""
    if not any(mark in text for mark in ("{{", "{%", "{#")):
        return text
    parts = text.split("{")
    return "{{ '{' }}".join(parts)


def fields_of(inputs: Sequence[Mapping[str, object]]) -> tuple[str, ...]:
    """Those that every input has, in the order of the first."""
    if not inputs:
        return ()
    return tuple(name for name in inputs[0] if all(name in one for one in inputs))
