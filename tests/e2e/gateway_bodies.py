"""Good bodies of every hot path, with as many of its fields as fit together; `*` is any route."""

from typing import Any

PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
NORIA = {"user": "ann", "session": "s", "episode": "e", "tags": {"env": "test"}, "cache": "no-cache"}

_CHAT: list[Any] = [
    {
        "model": "*",
        "messages": [
            {"role": "system", "content": "Be kind."},
            {
                "role": "user",
                "name": "ann",
                "content": [
                    {"type": "text", "text": "What is it?"},
                    {
                        "type": "image_url",
                        "image_url": {"url": f"data:image/png;base64,{PIXEL}", "detail": "low"},
                    },
                ],
            },
            {
                "role": "assistant",
                "content": None,
                "tool_calls": [
                    {
                        "id": "c1",
                        "type": "function",
                        "function": {"name": "look", "arguments": '{"city":"x"}'},
                    }
                ],
            },
            {"role": "tool", "tool_call_id": "c1", "content": "a dot"},
        ],
        "tools": [
            {"type": "function", "function": {"name": "look", "description": "Look", "parameters": SCHEMA}}
        ],
        "tool_choice": "auto",
        "max_completion_tokens": 20,
        "temperature": 0.5,
        "top_p": 0.9,
        "stop": ["###"],
        "user": "ann",
        "noria": NORIA,
    },
    {
        "model": "*",
        "messages": [{"role": "user", "content": "hi"}],
        "response_format": {
            "type": "json_schema",
            "json_schema": {"name": "city", "schema": SCHEMA, "strict": True},
        },
        "reasoning_effort": "low",
        "stream_options": {"include_usage": True},
        "metadata": {"a": "b"},
        "store": True,
        "seed": 3,
    },
    {
        "model": "*",
        "messages": [{"role": "user", "content": "hi"}],
        "n": 2,
        "logprobs": True,
        "top_logprobs": 2,
        "logit_bias": {"50256": -100},
        "presence_penalty": 0.1,
        "frequency_penalty": 0.1,
    },
]
_RESPONSES: list[Any] = [
    {
        "model": "*",
        "instructions": "Be kind.",
        "input": [
            {
                "role": "user",
                "content": [
                    {"type": "input_text", "text": "What is it?"},
                    {"type": "input_image", "image_url": f"data:image/png;base64,{PIXEL}", "detail": "auto"},
                ],
            },
            {"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": "Think."}]},
            {"type": "function_call", "call_id": "c1", "name": "look", "arguments": '{"city":"x"}'},
            {"type": "function_call_output", "call_id": "c1", "output": "a dot"},
        ],
        "tools": [{"type": "function", "name": "look", "parameters": SCHEMA, "strict": False}],
        "tool_choice": "auto",
        "max_output_tokens": 20,
        "metadata": {"a": "b"},
        "store": False,
    },
    {
        "model": "*",
        "input": "hi",
        "text": {"format": {"type": "json_schema", "name": "city", "schema": SCHEMA, "strict": True}},
        "reasoning": {"effort": "low", "summary": "auto"},
        "include": ["reasoning.encrypted_content"],
        "previous_response_id": None,
        "noria": NORIA,
    },
]
_MESSAGES: list[Any] = [
    {
        "model": "*",
        "max_tokens": 20,
        "system": [{"type": "text", "text": "Be kind.", "cache_control": {"type": "ephemeral"}}],
        "messages": [
            {
                "role": "user",
                "content": [
                    {"type": "text", "text": "What is it?"},
                    {
                        "type": "image",
                        "source": {"type": "base64", "media_type": "image/png", "data": PIXEL},
                    },
                ],
            },
            {
                "role": "assistant",
                "content": [
                    {"type": "thinking", "thinking": "Think.", "signature": "bW9jaw=="},
                    {"type": "tool_use", "id": "c1", "name": "look", "input": {"city": "x"}},
                ],
            },
            {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "c1", "content": "a dot"}]},
        ],
        "tools": [{"name": "look", "description": "Look", "input_schema": SCHEMA}],
        "tool_choice": {"type": "auto"},
        "stop_sequences": ["###"],
        "temperature": 0.5,
        "metadata": {"user_id": "ann"},
    },
    {
        "model": "*",
        "max_tokens": 4000,
        "messages": [{"role": "user", "content": "hi"}],
        "thinking": {"type": "enabled", "budget_tokens": 1024},
        "output_config": {"effort": "low", "format": {"type": "json_schema", "schema": SCHEMA}},
    },
]
BODIES: dict[str, list[Any]] = {
    "/v1/chat/completions": _CHAT,
    "/v1/completions": [
        {
            "model": "*",
            "prompt": ["one", "two"],
            "max_tokens": 5,
            "echo": True,
            "logprobs": 2,
            "n": 1,
            "best_of": 1,
            "suffix": None,
            "stop": "###",
            "temperature": 0,
        },
        {"model": "*", "prompt": "one", "seed": 3, "stream_options": {"include_usage": True}},
        {"model": "*", "prompt": [1, 2, 3]},
    ],
    "/v1/embeddings": [
        {"model": "*", "input": ["one"], "dimensions": 8, "encoding_format": "base64", "user": "ann"},
        {"model": "*", "input": "one", "encoding_format": "float"},
        {"model": "*", "input": [[1, 2], [3]]},
    ],
    "/v1/responses": _RESPONSES,
    "/v1/responses/compact": _RESPONSES,
    "/v1/responses/input_tokens": _RESPONSES,
    "/v1/messages": _MESSAGES,
    "/v1/messages/count_tokens": [
        {name: value for name, value in body.items() if name != "max_tokens"} for body in _MESSAGES
    ],
}
PATHS = tuple(BODIES)
