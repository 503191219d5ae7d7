"""The noria.toml that `noria init` writes: it works as it is, and its comments show the next steps."""

from __future__ import annotations

from noria.config.schema import COMMENT


def template() -> str:
    """The text, whose first line names the schema for editors."""
    return COMMENT + _TEXT


_TEXT = """
# What this Noria serves. `noria check` reads it, `noria plan` shows what would change, `noria apply` does it.
# Secrets are references (`env:NAME`, `file:PATH`), paths are relative to this file, and a key that Noria does
# not know is a mistake. More files may be read in:
# include = ["conf.d/*.toml"]

[server]
host = "127.0.0.1"
port = 8400
# Another address than a loopback one needs keys (see [access]) and TLS, done here or by something in front:
# host = "0.0.0.0"
# public = "https://noria.example.com"
# tls_cert = "tls/cert.pem"
# tls_key = "tls/key.pem"
# tls_in_front = true

[access]
# Without a key only programs on this machine can call. Set this to true before others can reach it.
require_key = false

# Models that run on this machine, each in a process of its own. `noria model list` shows what there is.
[engines.chat]
weights = "smollm2-135m-instruct"

[engines.encoder]
weights = "bge-small-en-v1.5"
kind = "encoder"

# A route is the name that callers use as `model`. The first target that can answer does.
[routes.default]
targets = ["local/smollm2-135m-instruct"]

# Providers. A known name needs no more than its key; the models that it may serve are those that routes name.
# [providers.openai]
# api_key = "env:OPENAI_API_KEY"
# models = ["gpt-6.1-sol", "gpt-6.1-terra"]  # callable as openai/gpt-6.1-sol as well

# [providers.anthropic]
# api_key = "env:ANTHROPIC_API_KEY"

# [providers.gemini]
# api_key = "env:GEMINI_API_KEY"

# [providers.bedrock]
# region = "eu-west-1"
# access_key = "env:AWS_ACCESS_KEY_ID"
# secret_key = "env:AWS_SECRET_ACCESS_KEY"

# Any server that speaks OpenAI's API: vLLM, Ollama, llama.cpp, …
# [providers.gpu]
# dialect = "openai"
# base_url = "http://10.0.0.7:8000/v1"

# Two providers behind one name, the second when the first fails or is slow:
# [routes.best]
# targets = ["anthropic/claude-sonnet-5-5", "openai/gpt-6.1-sol"]
# retries = 1
# timeouts = { first_token = "20s", total = "5m" }
# cache = { ttl = "1h" }

# One call in ten to a candidate, always the same for a user:
# [routes.trial]
# strategy = "weighted"
# sticky = "user"
# targets = [{ model = "openai/gpt-6.1-sol", weight = 9 }, { model = "openai/gpt-6.1-terra", weight = 1 }]

# A price that you negotiated, in dollars for a million tokens:
# [models."openai/gpt-6.1-sol"]
# price = { input = "1.00", output = "8.00", cached = "0.10" }

# What may be spent. Money is reserved before a call, so a hard cap holds to the cent.
# [budgets.each-user]
# amount = "5"
# per = "day"
# subject = "user:*"

# How often keys without limits of their own may call:
# [limits]
# keys = [{ requests = 600, per = "1m" }, { tokens = 1_000_000, per = "1h" }]

[telemetry]
# What is kept of prompts and answers: "full", "metadata" (none of it), or of a share of calls, such as 0.1.
capture = "full"
retention = { days = 90 }
# [telemetry.export.collector]
# endpoint = "https://otel.example.com"
# headers = { authorization = "env:OTEL_TOKEN" }
"""
