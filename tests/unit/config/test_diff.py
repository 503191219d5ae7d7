"""What a plan shows, and what of it makes Noria less safe."""

from pathlib import Path

import pytest

from noria.config import Change, Config, load, plan

BASE = """
[server]
host = "127.0.0.1"
[providers.openai]
api_key = "env:K"
region = "eu"
ca_file = "ca.pem"
[routes.fast]
targets = ["openai/a"]
regions = ["eu"]
capture = "metadata"
limits = [{ requests = 60, per = "1m" }]
[budgets.team]
amount = 10
subject = "team:*"
[telemetry]
capture = 0.1
[access]
session = "1h"
[access.oidc]
issuer = "https://id.example"
client_id = "noria"
client_secret = "env:S"
domains = ["example.com"]
roles = { staff = "viewer" }
[encryption]
payloads = true
"""


def config(folder: Path, text: str) -> Config:
    (folder / "noria.toml").write_text(text)
    return load(folder)


def changes(folder: Path, before: str, after: str) -> list[Change]:
    return plan(config(folder, before), config(folder, after))


def test_the_first_plan_adds_everything(tmp_path: Path) -> None:
    found = plan(None, config(tmp_path, BASE))
    assert {change.kind for change in found} == {"added"}
    assert ("routes", "fast") in [change.path for change in found]
    assert ("server", "host") not in [change.path for change in found]


def test_what_is_only_written_otherwise_is_no_change(tmp_path: Path) -> None:
    other = "# words\n" + BASE.replace('"1h"', '"60m"').replace("amount = 10", 'amount = "10.00"')
    assert changes(tmp_path, BASE, other) == []


def test_keys_and_entries(tmp_path: Path) -> None:
    after = BASE.replace("amount = 10", "amount = 8").replace("[routes.fast]", "[routes.quick]")
    found = changes(tmp_path, BASE, after)
    assert [(one.kind, one.path) for one in found] == [
        ("removed", ("routes", "fast")),
        ("added", ("routes", "quick")),
        ("changed", ("budgets", "team", "amount")),
    ]
    assert (found[2].before, found[2].after) == ("10", "8")
    assert found[0].effect == "Calls to this model name answer 404."
    assert not any(one.weakens for one in found)


def test_a_default_that_is_left_again_has_no_after(tmp_path: Path) -> None:
    (found,) = changes(tmp_path, BASE, BASE.replace('session = "1h"', ""))
    assert (found.kind, found.before, found.after) == ("removed", "1h", None)
    assert found.weakens == "A sign-in lasts longer."


WEAKER = {
    "reachable": (
        'host = "127.0.0.1"',
        'host = "10.0.0.1"\ntls_in_front = true',
        "Other machines can reach Noria.",
    ),
    "host": ('host = "127.0.0.1"', 'hosts = ["a.example"]', "Noria answers to a.example as well."),
    "origin": ('host = "127.0.0.1"', 'origins = ["https://a.example"]', "may call the gateway."),
    "keys": ('session = "1h"', 'session = "1h"\nrequire_key = false', "Calls need no key any more."),
    "domains": ('domains = ["example.com"]', "", "People of more domains can sign in."),
    "roles": ('staff = "viewer"', 'staff = "admin"', "Members of staff may do more."),
    "encryption": ("payloads = true", "payloads = false", "no longer encrypted"),
    "capture": ("capture = 0.1", "capture = 0.2", "More prompts and answers are stored."),
    "route capture": ('capture = "metadata"', "", "More prompts and answers are stored."),
    "regions": ('regions = ["eu"]', "", "Calls may be answered in any region."),
    "more regions": ('regions = ["eu"]', 'regions = ["eu", "us"]', "Calls may be answered in us as well."),
    "limit": ("requests = 60", "requests = 61", "on requests is higher or gone."),
    "budget": ("amount = 10", "amount = 11", "More money can be spent."),
    "soft": ("amount = 10", "amount = 10\nhard = false", "The cap only warns"),
    "authority": ('ca_file = "ca.pem"', "", "Any public authority"),
    "plain": ('region = "eu"', 'region = "eu"\nbase_url = "http://10.0.0.9/v1"', "unencrypted"),
    "export": (
        "capture = 0.1",
        'capture = 0.1\nexport.x = { endpoint = "https://o.example" }',
        "Spans are sent",
    ),
    "forward": ('region = "eu"', 'region = "eu"\nforward_headers = ["x-id"]', "x-id headers reach"),
}


@pytest.mark.parametrize("name", WEAKER)
def test_what_weakens_security_is_said_and_its_reverse_is_not(name: str, tmp_path: Path) -> None:
    old, new, sentence = WEAKER[name]
    assert old in BASE
    after = BASE.replace(old, new, 1)
    said = [one.weakens for one in changes(tmp_path, BASE, after) if one.weakens]
    assert any(sentence in one for one in said), said
    assert [one.weakens for one in changes(tmp_path, after, BASE) if one.weakens] == []


def test_a_cap_that_goes_is_said(tmp_path: Path) -> None:
    start = BASE.index("[budgets.team]")
    after = BASE[:start] + BASE[BASE.index("[telemetry]") :]
    (found,) = changes(tmp_path, BASE, after)
    assert found.weakens == "A cap on money is gone."
