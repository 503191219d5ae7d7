from noria.access.key import Key
from noria.access.token import issue, verify

PEPPER = b"p" * 32


def test_a_token_acts_as_its_key_until_it_expires() -> None:
    key = Key(id="key_1", lookup="l", hash=b"h" * 32, routes=("a",), user="ann")
    token = issue(key, pepper=PEPPER, now=100, ttl=10).encode()
    found = verify(token, pepper=PEPPER, now=109)
    assert found is not None
    assert (found.id, found.routes, found.user, found.hash) == ("key_1", ("a",), "ann", b"")
    assert verify(token, pepper=PEPPER, now=110) is None
    assert verify(token, pepper=b"q" * 32, now=100) is None
    assert verify(token[:-1] + b"x", pepper=PEPPER, now=100) is None
    assert verify(b"nt-", pepper=PEPPER, now=100) is None


def test_no_token_lives_longer_than_a_quarter_of_an_hour() -> None:
    token = issue(Key(id="k", lookup="", hash=b""), pepper=PEPPER, now=0, ttl=10_000).encode()
    assert verify(token, pepper=PEPPER, now=901) is None
