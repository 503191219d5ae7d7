"""A conversation, a stream, and JSON by a schema, from a model on this machine."""

import json
import os

from openai import OpenAI
from openai.types.chat import ChatCompletionMessageParam

client = OpenAI(base_url=os.environ.get("NORIA_BASE_URL", "http://127.0.0.1:8400") + "/v1", api_key="none")
about = {"noria": {"session": "local-chat"}}
PERSON = {
    "type": "object",
    "properties": {
        "name": {"type": "string", "maxLength": 20},
        "age": {"type": "integer", "minimum": 0, "maximum": 120},
    },
    "required": ["name", "age"],
    "additionalProperties": False,
}


def conversation() -> None:
    messages: list[ChatCompletionMessageParam] = []
    for question in ("Name one large river.", "On which continent is it?"):
        messages.append({"role": "user", "content": question})
        answer = client.chat.completions.create(
            model="chat", messages=messages, max_tokens=40, extra_body=about
        )
        said = answer.choices[0].message.content or ""
        messages.append({"role": "assistant", "content": said})
        print(f"> {question}\n{said}\n")


def stream() -> None:
    print("> Count from one to five.")
    for chunk in client.chat.completions.create(
        model="chat",
        messages=[{"role": "user", "content": "Count from one to five."}],
        max_tokens=40,
        stream=True,
        extra_body=about,
    ):
        if chunk.choices:
            print(chunk.choices[0].delta.content or "", end="", flush=True)
    print("\n")


def structured() -> None:
    question = "Ada is a mathematician of 36 years. Answer as JSON."
    answer = client.chat.completions.create(
        model="chat",
        messages=[{"role": "user", "content": question}],
        response_format={"type": "json_schema", "json_schema": {"name": "person", "schema": PERSON}},
        max_tokens=60,
        extra_body=about,
    )
    print(f"> {question}\n{json.loads(answer.choices[0].message.content or '')}")


if __name__ == "__main__":
    conversation()
    stream()
    structured()
