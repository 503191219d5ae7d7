"""LiteLLM's config.yaml to noria.toml."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from noria.config.importers.draft import Converted, Draft
from noria.config.importers.litellm_deployment import Deployment, deployment
from noria.config.importers.litellm_policy import Policy
from noria.config.importers.litellm_reasons import ROUTER, TOP
from noria.config.importers.litellm_settings import general_settings, litellm_settings
from noria.config.preset import PRESETS
from noria.errors import ConfigError, MissingExtra


def from_litellm(text: str, *, environment: Mapping[str, str]) -> Converted:
    """noria.toml for LiteLLM's `text`, and what could not be carried over.

    `environment` gives what `os.environ/NAME` names where it is not a secret (addresses, regions). Raises
    ConfigError where the text is no such file, MissingExtra without PyYAML.
    """
    data = _read(text)
    draft = Draft(environment)
    router = dict(data.get("router_settings") or {})
    litellm = dict(data.get("litellm_settings") or {})
    general = dict(data.get("general_settings") or {})
    _add_credentials(data)
    groups = _groups(data, draft)
    policy = Policy(router, litellm, draft)
    for name, members in groups.items():
        draft.route(name, policy.route(name, members, groups), path=f"model_list[{name}]")
    _alias(router, litellm, draft)
    litellm_settings(litellm, draft)
    general_settings(general, draft)
    _free_of_charge(draft)
    for key in router:
        draft.lose(f"router_settings.{key}", ROUTER.get(key, "It has no counterpart."))
    known = ("model_list", "router_settings", "litellm_settings", "general_settings", "credential_list")
    for key in data:
        if key not in known:
            draft.lose(key, TOP.get(key, "It has no counterpart."))
    return draft.finish("From LiteLLM's config.yaml. Callers keep their model names; keys are new.")


def _read(text: str) -> dict[str, Any]:
    try:
        import yaml
    except ModuleNotFoundError:
        raise MissingExtra("`noria import litellm`", "importers") from None
    try:
        data = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ConfigError(f"The file is not valid YAML: {str(error).splitlines()[0]}.") from None
    if not isinstance(data, dict) or not isinstance(data.get("model_list", []), list):
        raise ConfigError("The file is not LiteLLM's config.yaml: it has no `model_list` of models.")
    if "model_list" not in data:
        raise ConfigError("The file has no `model_list`, so there is nothing to convert.")
    return data


def _add_credentials(data: dict[str, Any]) -> None:
    named = {
        one.get("credential_name"): one.get("credential_values") or {}
        for one in data.get("credential_list") or []
    }
    for entry in data["model_list"]:
        params = entry.get("litellm_params") or {}
        name = params.pop("litellm_credential_name", None)
        for key, value in named.get(name, {}).items():
            params.setdefault(key, value)


def _groups(data: dict[str, Any], draft: Draft) -> dict[str, list[Deployment]]:
    groups: dict[str, list[Deployment]] = {}
    for index, entry in enumerate(data["model_list"]):
        name = str(entry.get("model_name", ""))
        found = deployment(entry, f"model_list[{index}]", draft)
        if found is not None and "*" in name:
            draft.lose(f"model_list[{index}]", f"{name!r} is a wildcard; each route has a name of its own.")
        elif found is not None:
            groups.setdefault(name, []).append(found)
    return groups


def _alias(router: dict[str, Any], litellm: dict[str, Any], draft: Draft) -> None:
    aliases = {
        **(litellm.pop("model_group_alias", None) or {}),
        **(router.pop("model_group_alias", None) or {}),
    }
    for name, value in aliases.items():
        group = value.get("model") if isinstance(value, dict) else value
        route = draft.section("routes").get(str(group))
        if route is None:
            draft.lose(f"router_settings.model_group_alias.{name}", f"{group!r} is no model of this file.")
        else:
            draft.route(str(name), route, path=f"router_settings.model_group_alias.{name}")


def _free_of_charge(draft: Draft) -> None:
    """Where money is limited, say of self-hosted models that they cost nothing, as LiteLLM took them to."""
    if not draft.section("budgets"):
        return
    providers = draft.section("providers")
    for route in draft.section("routes").values():
        for one in route["targets"]:
            model = one if isinstance(one, str) else one["model"]
            name = model.partition("/")[0]
            preset = providers[name].get("preset", name)
            hosted = PRESETS[preset].needs and ("base_url" not in providers[name] or preset == "azure")
            if not hosted and "price" not in draft.section("models").get(model, {}):
                draft.section("models").setdefault(model, {})["price"] = {"input": "0", "output": "0"}
                draft.lose(
                    "litellm_settings.max_budget",
                    f"{model} counts as free, as it did; set its price if not.",
                )
