"""Which keys of a request reach llama-server, and in what form.

It takes many more: some pick slots or change the form of its answers, and one (the infill sampler) makes it
compute for minutes without an end. What is not listed has no effect here.
"""

from __future__ import annotations

from noria.errors import InvalidRequest
from noria.server.engine_front import Body

SAMPLING = frozenset(
    {
        "cache_prompt", "dry_allowed_length", "dry_base", "dry_multiplier", "dry_penalty_last_n",
        "dry_sequence_breakers", "dynatemp_exponent", "dynatemp_range", "frequency_penalty", "grammar",
        "ignore_eos", "json_schema", "logit_bias", "logprobs", "max_tokens", "min_p", "mirostat",
        "mirostat_eta", "mirostat_tau", "presence_penalty", "repeat_last_n", "repeat_penalty", "samplers",
        "seed", "stop", "temperature", "top_k", "top_logprobs", "top_n_sigma", "top_p", "typical_p",
        "xtc_probability", "xtc_threshold",
    }
)  # fmt: skip
CHAT = SAMPLING | {
    "chat_template_kwargs", "lora", "max_completion_tokens", "messages", "parallel_tool_calls",
    "reasoning_effort", "reasoning_format", "response_format", "stream", "stream_options", "tool_choice",
    "tools",
}  # fmt: skip
_SAMPLERS = frozenset(
    {"dry", "min_p", "penalties", "temperature", "top_k", "top_n_sigma", "top_p", "typ_p", "xtc"}
)


def only(body: Body, keys: frozenset[str]) -> Body:
    """The keys that are passed on and set; raises InvalidRequest for samplers that do not end."""
    kept = {key: value for key, value in body.items() if key in keys and value is not None}
    samplers = kept.get("samplers")
    if samplers is not None and not (
        isinstance(samplers, list) and all(isinstance(one, str) and one in _SAMPLERS for one in samplers)
    ):
        names = ", ".join(sorted(_SAMPLERS))
        raise InvalidRequest(f"samplers must be a list of some of {names}.", param="samplers")
    return kept
