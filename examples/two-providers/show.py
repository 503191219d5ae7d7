"""Weights, fallback and a budget, seen from a caller's side."""

import json
import os
import subprocess
import urllib.error
import urllib.request
from collections import Counter

BASE = os.environ.get("NORIA_BASE_URL", "http://127.0.0.1:8400")


def call(route: str, *, user: str = "", key: str = "", max_tokens: int = 64) -> tuple[int, dict[str, str]]:
    """Status and headers of a chat."""
    body = {
        "model": route,
        "max_tokens": max_tokens,
        "messages": [{"role": "user", "content": "Hello"}],
        "noria": {"user": user},
    }
    headers = {"content-type": "application/json"}
    if key:
        headers["authorization"] = f"Bearer {key}"
    request = urllib.request.Request(f"{BASE}/v1/chat/completions", json.dumps(body).encode(), headers)
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status, {name.lower(): value for name, value in answer.headers.items()}
    except urllib.error.HTTPError as refused:
        print(f"  {refused.code}: {json.load(refused)['error']['message']}")
        return refused.code, {name.lower(): value for name, value in refused.headers.items()}


def noria(*words: str) -> str:
    """What the command line prints."""
    return subprocess.run(["noria", *words], check=True, capture_output=True, text=True).stdout.strip()


def weights() -> None:
    print("Who answers 40 users, three quarters of them to be OpenAI's:")
    users = [f"user-{number}" for number in range(40)]
    first = {user: call("split", user=user)[1]["x-noria-target"] for user in users}
    print(f"  {dict(Counter(first.values()))}")
    again = {user: call("split", user=user)[1]["x-noria-target"] for user in users}
    print(f"  the same again for each user: {first == again}")


def fallback() -> None:
    print("Who answers when the first is broken:")
    _, headers = call("safe")
    print(f"  {headers['x-noria-target']}, after {headers['x-noria-attempts']} attempts")


def budget() -> None:
    print("A key that may spend one cent:")
    key = noria("key", "create", f"cent-{os.getpid()}", "--budget", "one-cent")
    calls = 0
    while True:
        status, _ = call("split", key=key, max_tokens=2_000)
        if status != 200:
            break
        calls += 1
    found = json.loads(noria("budget", "show", "one-cent", "--json"))
    print(f"  {calls} calls, then {status}; spent ${found['subjects'][0]['spent']} of ${found['amount']}")


if __name__ == "__main__":
    weights()
    fallback()
    budget()
