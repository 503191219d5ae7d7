"""What of a LiteLLM config.yaml has no counterpart, and what to do instead."""

from __future__ import annotations

REQUEST = "A route sets no request parameters; callers send them."
STATE = "Noria keeps its state in its own folder and needs no such server."
LOGS = "Spans are kept by Noria itself, and go on to any OTLP receiver under [telemetry.export]."
ALERTS = "Noria does not send alerts yet."
KEYS = "Keys are made with `noria key create`."
SIGN_IN = "Sign-in is set under [access]."

TOP = {
    "environment_variables": "Set them in the environment of `noria up`.",
    "guardrails": "Guards are not part of routes.",
    "mcp_servers": "Noria serves no MCP servers.",
    "mcp_tools": "Noria serves no MCP servers.",
    "prompts": "Prompts are not part of the configuration of routes.",
    "vector_store_registry": "Noria's gateway serves no vector stores.",
    "search_tools": "Noria's gateway serves no search tools.",
    "callback_settings": LOGS,
    "finetune_settings": "Noria does not forward fine-tuning calls.",
    "files_settings": "Noria does not forward file calls.",
}

GENERAL = {
    "master_key": "Make keys with `noria key create`; calls without one are refused.",
    "database_url": STATE,
    "database_connection_pool_limit": STATE,
    "database_connection_timeout": STATE,
    "store_model_in_db": "What is edited on the page is a config version; `noria pull` writes it to files.",
    "allow_requests_on_db_unavailable": "Noria's gateway answers without its control process in any case.",
    "alerting": ALERTS,
    "alerting_threshold": ALERTS,
    "alerting_args": ALERTS,
    "alert_types": ALERTS,
    "alert_to_webhook_url": ALERTS,
    "custom_auth": "Noria authenticates with its own keys.",
    "enable_jwt_auth": SIGN_IN,
    "litellm_jwtauth": SIGN_IN,
    "custom_sso": SIGN_IN,
    "key_management_system": "Secrets are `env:` and `file:` references, which a secret manager can fill.",
    "key_management_settings": "Secrets are `env:` and `file:` references, which a secret manager can fill.",
    "use_azure_key_vault": "Secrets are `env:` and `file:` references, which a secret manager can fill.",
    "use_google_kms": "Secrets are `env:` and `file:` references, which a secret manager can fill.",
    "global_max_parallel_requests": "Set `max_concurrency` and `queue` on routes.",
    "max_parallel_requests": "Set `max_concurrency` on the targets that need it.",
    "background_health_checks": "Targets are judged by the calls that they answer.",
    "health_check_interval": "Targets are judged by the calls that they answer.",
    "pass_through_endpoints": "Noria forwards no other paths.",
    "forward_client_headers_to_llm_api": "Name the headers in `forward_headers` of a provider.",
    "allowed_ips": "Noria filters no addresses; let the firewall do it.",
    "completion_model": "Callers name a route.",
    "enforce_user_param": 'Noria does not demand a user; a budget with subject "user:*" counts each apart.',
}

LITELLM = {
    "drop_params": "What a target cannot express is refused with a sentence and never dropped.",
    "modify_params": "Noria changes no parameters.",
    "set_verbose": "It concerns LiteLLM's own logs.",
    "json_logs": "It concerns LiteLLM's own logs.",
    "service_callbacks": LOGS,
    "context_window_fallbacks": "Give the small target `when = { max_input_tokens = … }` instead.",
    "default_internal_user_params": KEYS,
    "upperbound_key_generate_params": KEYS,
    "key_generation_settings": KEYS,
    "callback_settings": LOGS,
}

ROUTER = {
    "redis_host": "Workers on one machine share their counts without a server.",
    "redis_port": "Workers on one machine share their counts without a server.",
    "redis_password": "Workers on one machine share their counts without a server.",
    "redis_url": "Workers on one machine share their counts without a server.",
    "retry_policy": "`retries` counts for all failures; `fallback_on` says after which to go on.",
    "allowed_fails_policy": "`breaker` counts all failures that retries and fallback count.",
    "enable_pre_call_checks": "Give targets conditions on `max_input_tokens`.",
    "enable_tag_filtering": "Tags have a key and a value; give targets `when = { tags = { … } }`.",
    "tag_filtering_match_any": "Tags have a key and a value; give targets `when = { tags = { … } }`.",
    "default_litellm_params": REQUEST,
    "routing_strategy_args": "Noria's strategies have no parameters.",
    "disable_cooldowns": "Every route has a breaker; a target that is open is tried last and not never.",
    "context_window_fallbacks": LITELLM["context_window_fallbacks"],
    "default_max_parallel_requests": "Set `max_concurrency` on the targets that need it.",
    "max_fallbacks": "All targets of a route may be tried.",
}

DEPLOYMENT = {
    "temperature": REQUEST,
    "max_tokens": REQUEST,
    "max_completion_tokens": REQUEST,
    "top_p": REQUEST,
    "top_k": REQUEST,
    "seed": REQUEST,
    "stop": REQUEST,
    "presence_penalty": REQUEST,
    "frequency_penalty": REQUEST,
    "response_format": REQUEST,
    "reasoning_effort": REQUEST,
    "thinking": REQUEST,
    "extra_body": REQUEST,
    "drop_params": LITELLM["drop_params"],
    "additional_drop_params": LITELLM["drop_params"],
    "tags": "Tags of calls have a key and a value; give the target `when = { tags = { … } }`.",
    "azure_ad_token": "Noria signs Azure calls with a key; set `api_key`.",
    "tenant_id": "Noria signs Azure calls with a key; set `api_key`.",
    "client_id": "Noria signs Azure calls with a key; set `api_key`.",
    "client_secret": "Noria signs Azure calls with a key; set `api_key`.",
    "aws_role_name": "Noria signs with access keys; put those of the role into the environment.",
    "aws_session_name": "Noria signs with access keys; put those of the role into the environment.",
    "aws_profile_name": "Noria signs with access keys; put those of the profile into the environment.",
    "aws_web_identity_token": "Noria signs with access keys; put those of the role into the environment.",
    "mock_response": "Use noria.testing's mock upstream.",
    "use_in_pass_through": "Noria forwards no other paths.",
    "max_retries": "Set `retries` on the route.",
    "num_retries": "Set `retries` on the route.",
    "budget_duration": "Budgets are of keys, teams, users and tags; see [budgets].",
    "max_budget": "Budgets are of keys, teams, users and tags; see [budgets].",
}
