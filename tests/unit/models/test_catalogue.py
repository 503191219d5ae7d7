import subprocess
import sys
from collections import Counter

import pytest

from noria.models import catalogue
from noria.models.weights import manifest


@pytest.mark.parametrize(
    ("name", "provider", "card"),
    [
        ("gpt-4o", None, "openai/gpt-4o"),
        ("openai/gpt-4o-2024-08-06", None, "openai/gpt-4o"),
        ("ft:gpt-4o-mini-2024-07-18:acme::abc", "openai", "openai/gpt-4o-mini"),
        ("gpt-35-turbo", "azure", "openai/gpt-3.5-turbo"),
        ("gpt-4.1-mini-2025-04-14", "openai", "openai/gpt-4.1-mini"),
        ("claude-sonnet-4-5-20250929", "anthropic", "anthropic/claude-sonnet-4-5"),
        ("claude-3-5-sonnet-latest", "anthropic", "anthropic/claude-3-5-sonnet"),
        ("us.anthropic.claude-sonnet-4-5-20250929-v1:0", "bedrock", "anthropic/claude-sonnet-4-5"),
        ("anthropic.claude-3-haiku-20240307-v1:0", "bedrock", "anthropic/claude-3-haiku"),
        ("claude-opus-4-1@20250805", "vertex", "anthropic/claude-opus-4-1"),
        ("models/gemini-2.5-flash", "gemini", "google/gemini-2.5-flash"),
        ("gemini-1.5-pro-002", "vertex", "google/gemini-1.5-pro"),
        ("meta-llama/Llama-3.1-8B-Instruct", None, "meta/llama-3.1-8b"),
        ("meta-llama/Meta-Llama-3.1-70B-Instruct-Turbo", "together", "meta/llama-3.1-70b"),
        ("meta-llama/llama-3.3-70b-instruct:free", "openrouter", "meta/llama-3.3-70b"),
        ("meta.llama3-3-70b-instruct-v1:0", "bedrock", "meta/llama-3.3-70b"),
        ("accounts/fireworks/models/llama-v3p1-8b-instruct", "fireworks", "meta/llama-3.1-8b"),
        ("llama3.1:8b", "ollama", "meta/llama-3.1-8b"),
        ("llama2:7b", "ollama", "meta/llama-2-7b"),
        ("mistralai/Mistral-7B-Instruct-v0.3", None, "mistral/mistral-7b"),
        ("text-bison@002", "vertex", "google/palm-2"),
        ("smollm2-135m-instruct", "local", "huggingfacetb/smollm2-135m-instruct"),
        ("Qwen3-0.6B-Q8_0.gguf", None, "qwen/qwen3-0.6b"),
        ("qwen2.5-coder:1.5b", "ollama", "qwen/qwen2.5-coder-1.5b-instruct"),
        ("BAAI/bge-small-en-v1.5", None, "baai/bge-small-en-v1.5"),
        ("deepseek-ai/DeepSeek-V3-0324", None, "deepseek/deepseek-v3"),
        ("gpt-3.5-turbo-0613", "openai", "openai/gpt-3.5-turbo"),
        ("qwen/qwen3-235b-a22b-2507", "openrouter", "qwen/qwen3-235b-a22b"),
    ],
)
def test_a_model_is_found_by_the_names_that_providers_give_it(
    name: str, provider: str | None, card: str
) -> None:
    found = catalogue.find(name, provider)
    assert found is not None and found.id == card


@pytest.mark.parametrize(
    "name", ["", "gpt", "gpt-4o-ultra", "claude", "llama", "my-model", "gpt-55", "o", "ft:"]
)
def test_no_other_models_card_is_given(name: str) -> None:
    assert catalogue.find(name) is None


def test_no_name_belongs_to_two_cards() -> None:
    counted = Counter(
        alias
        for entry in catalogue._entries()
        for alias in {entry.card.id, *entry.aliases}  # pyright: ignore
    )
    assert [name for name, times in counted.items() if times > 1] == []
    assert all(name == name.lower() for name in counted)


def test_every_card_says_what_is_known() -> None:
    ids = {card.id for card in catalogue.cards()}
    assert len(ids) > 140
    for card in catalogue.cards():
        assert card.developer and card.licence and card.family and card.fine_tuning, card.id
        assert card.licence.url and card.context and card.links, card.id
        assert card.status != "retired" or card.successor in ids, card.id
        assert ("embedding" in card.capabilities) == (card.embedding_dimensions is not None), card.id
        assert card.active_parameters is None or (card.parameters or 0) > card.active_parameters, card.id
    for wanted in ("meta/llama-2-13b", "tii/falcon-40b", "google/palm-2", "mistral/mixtral-8x7b"):
        assert wanted in ids
    llama = catalogue.find("llama-2-7b")
    assert llama and llama.licence and llama.licence.kind == "community"


def test_every_weights_file_has_its_card() -> None:
    ids = {card.id for card in catalogue.cards()}
    assert {weights.card for weights in manifest().values()} <= ids


def test_it_loads_in_a_blink_and_only_when_asked() -> None:
    code = (
        "import noria.models.card, msgspec, time, importlib.resources as r; r.files('noria.models')\n"
        "t=time.process_time(); from noria.models import catalogue; catalogue.find('gpt-4o')\n"
        "print(time.process_time()-t)"
    )
    spent = min(float(subprocess.check_output([sys.executable, "-c", code])) for _ in range(3))
    assert spent < 0.02
