"""The dialect "azure": OpenAI's models behind Azure's addresses.

The model is the deployment's name. Options: `api_version`. Empty or "v1": the address is /openai/v1 and the
deployment is named in the body, as with OpenAI; else it is /openai/deployments/<name>, with the version in
the query. The rest are the options of "openai", with `max_tokens_field` at what OpenAI's newer models ask
for. Source: https://learn.microsoft.com/azure/foundry/openai/api-version-lifecycle, and …/reference.
"""

from __future__ import annotations

from urllib.parse import quote

from noria.core import messages
from noria.gateway.dialects import embeddings, openai_upstream
from noria.gateway.dialects.dialect import Options, Prepared
from noria.gateway.dialects.openai import PATHS, OpenAIBack


class AzureBack(OpenAIBack):
    """dialect.Back; answers and errors are OpenAI's."""

    name = "azure"

    def path(self, front: str, *, model: str, stream: bool, options: Options) -> str:
        version = options.get("api_version", "")
        if version in ("", "v1"):
            return f"/openai/v1{PATHS[front]}"
        query = f"?api-version={quote(version, safe='')}"
        if front == "responses":
            # The one call that names its model in the body in every version.
            return f"/openai/responses{query}"
        return f"/openai/deployments/{quote(model, safe='')}{PATHS[front]}{query}"

    def request(self, request: messages.Request, *, model: str, options: Options) -> Prepared:
        said = {"max_tokens_field": "max_completion_tokens", **options}
        body = openai_upstream.encode(request, model=model, options=said)
        path = self.path("openai", model=model, stream=request.stream, options=options)
        return Prepared(path=path, body=body)

    def embeddings(self, request: messages.EmbeddingsRequest, *, model: str, options: Options) -> Prepared:
        path = self.path("embeddings", model=model, stream=False, options=options)
        return Prepared(path=path, body=embeddings.encode_request(request, model=model))
