"""A person's own program, run by test_instrument.py in a process of its own."""

import asyncio
import sys
import time

import noria
from noria import AsyncNoria


@noria.trace
def lookup(question: str) -> str:
    return question.upper()


@noria.trace(operation="invoke_agent")
def agent(question: str) -> str:
    return lookup(question)


@noria.trace
async def ask(url: str, key: str) -> None:
    import openai

    async with AsyncNoria(url, key) as client:
        print((await client.chat("r", "hello")).trace)
    async with openai.AsyncOpenAI(base_url=url + "/v1", api_key=key) as other:
        await other.chat.completions.create(model="r", messages=[{"role": "user", "content": "hello"}])


calls = len(sys.argv) > 1
sending = noria.instrument(service="shop", skip=("httpx",) if calls else ("httpx", "openai"))
print(",".join(sending.instrumentations))
with noria.about(user="ada", session="s-1", tags={"env": "prod"}):
    agent("why")
    if calls:
        asyncio.run(ask(*sys.argv[1:]))
print(time.monotonic())
