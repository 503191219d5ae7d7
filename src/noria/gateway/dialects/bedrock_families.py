"""What Converse has no field for but a family of models has, in that family's own words.

Source: Amazon Bedrock user guide, "Inference request parameters and response fields for foundation models".
"""

from __future__ import annotations

from noria.core import messages
from noria.errors import Unsupported
from noria.gateway.dialects import refusals
from noria.gateway.dialects.dialect import Options

Json = dict[str, object]

NAME = "Bedrock Converse"
_FAMILIES = ("anthropic", "nova", "openai", "mistral", "cohere", "meta", "deepseek", "qwen", "titan", "ai21")


def unsupported(what: str, param: str) -> Unsupported:
    return refusals.unsupported(NAME, what, param)


def family_of(model: str, options: Options) -> str:
    """Who made the model: from its id, or from the option "family" where a profile's ARN hides it."""
    said = options.get("family")
    return said or next((family for family in _FAMILIES if family in model), "")


def top_k(count: int, *, family: str) -> Json:
    """additionalModelRequestFields."""
    match family:
        case "anthropic" | "mistral":
            return {"top_k": count}
        case "cohere":
            return {"k": count}
        case "nova":
            return {"inferenceConfig": {"topK": count}}
        case _:
            raise unsupported("top_k for this model", "top_k")


def reasoning_fields(config: messages.ReasoningConfig | None, *, family: str) -> tuple[Json, Json]:
    """(additionalModelRequestFields, outputConfig)."""
    if config is None:
        return {}, {}
    if config.summary in ("concise", "detailed"):
        raise unsupported(f"{config.summary} summaries of reasoning", "reasoning.summary")
    effort = config.effort
    if effort == "minimal":
        raise unsupported("the reasoning effort 'minimal'", "reasoning.effort")
    off = config.enabled is False or effort == "none"
    match family:
        case "anthropic":
            return _anthropic_thinking(config, off=off)
        case "nova":
            _no_budget(config)
            if off:
                return {"reasoningConfig": {"type": "disabled"}}, {}
            if effort not in ("low", "medium", "high"):
                raise unsupported("reasoning without the effort low, medium or high", "reasoning.effort")
            return {"reasoningConfig": {"type": "enabled", "maxReasoningEffort": effort}}, {}
        case "openai":
            _no_budget(config)
            if off or effort is None or effort == "xhigh":
                raise unsupported("reasoning without the effort low, medium or high", "reasoning.effort")
            return {"reasoning_effort": effort}, {}
        case _:
            _no_budget(config)
            if off or effort is None:
                raise unsupported("this reasoning for this model", "reasoning")
            return {}, {"effort": effort}


def _anthropic_thinking(config: messages.ReasoningConfig, *, off: bool) -> tuple[Json, Json]:
    output: Json = {"effort": config.effort} if config.effort not in (None, "none") else {}
    if off:
        return {"thinking": {"type": "disabled"}}, output
    display: Json = {"display": "summarized"} if config.summary is not None else {}
    if config.budget_tokens is not None:
        thinking: Json = {"type": "enabled", "budget_tokens": config.budget_tokens, **display}
        return {"thinking": thinking}, output
    if config.adaptive or config.enabled or display:
        return {"thinking": {"type": "adaptive", **display}}, output
    return {}, output


def _no_budget(config: messages.ReasoningConfig) -> None:
    if config.budget_tokens is not None:
        raise unsupported("a reasoning budget for this model", "reasoning.budget_tokens")
    if config.adaptive:
        raise unsupported("adaptive reasoning for this model", "reasoning.adaptive")
