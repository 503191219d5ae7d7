"""Reasoning in chat completions: `reasoning_content` for the text, `reasoning_details` for its proofs.

The second is OpenRouter's form, and the only one in use that holds signatures, encrypted reasoning and
summaries. Source: the schemas of the npm package @openrouter/ai-sdk-provider.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from noria.core import messages
from noria.gateway.dialects.openai_wire import Detail


def details_of(thoughts: Iterable[messages.Reasoning], *, start: int = 0) -> list[Detail]:
    """Nothing where all that was thought is in the text. `index` counts parts, from `start`."""
    parts = list(thoughts)
    if not any(part.signature or part.encrypted or part.id or part.summary for part in parts):
        return []
    details: list[Detail] = []
    for index, part in enumerate(parts, start):
        for text in part.summary:
            details.append(Detail(type="reasoning.summary", summary=text, id=part.id, index=index))
        if part.text or part.signature is not None:
            details.append(
                Detail(
                    type="reasoning.text", text=part.text, signature=part.signature, id=part.id, index=index
                )
            )
        if part.encrypted is not None:
            details.append(Detail(type="reasoning.encrypted", data=part.encrypted, id=part.id, index=index))
    return details


def reasoning_of(details: list[Detail] | None, text: str | None) -> list[messages.Reasoning]:
    """The inverse: details of one index are one part, and details without are parts of their own."""
    groups: list[list[Detail]] = []
    for detail in details or ():
        if groups and detail.index is not None and groups[-1][0].index == detail.index:
            groups[-1].append(detail)
        else:
            groups.append([detail])
    parts = [_part(group) for group in groups]
    if text and not any(part.text or part.summary for part in parts):
        # The text is said once only, beside a proof without it.
        signed = [part for part in parts if part.signature is not None]
        if len(signed) == 1:
            return [msgspec.structs.replace(part, text=text) if part is signed[0] else part for part in parts]
        parts.insert(0, messages.Reasoning(text=text))
    return parts


def _part(group: list[Detail]) -> messages.Reasoning:
    return messages.Reasoning(
        text="".join(detail.text or "" for detail in group),
        summary=tuple(detail.summary for detail in group if detail.summary is not None),
        signature=next((detail.signature for detail in group if detail.signature is not None), None),
        encrypted=next((detail.data for detail in group if detail.data is not None), None),
        id=next((detail.id for detail in group if detail.id is not None), None),
    )
