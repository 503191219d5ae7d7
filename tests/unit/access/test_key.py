from noria.access.key import Key, authenticate, hash_token, new_token

PEPPER = b"p" * 32


def _key(token: str, lookup: str, **more: object) -> Key:
    return Key(id="key_1", lookup=lookup, hash=hash_token(token.encode(), PEPPER), **more)  # pyright: ignore


def test_a_key_is_found_by_its_whole_token_only() -> None:
    token, lookup = new_token()
    keys = {lookup: _key(token, lookup)}
    assert authenticate(token.encode(), keys, pepper=PEPPER, now=0) is keys[lookup]
    assert authenticate(token[:-1].encode() + b"!", keys, pepper=PEPPER, now=0) is None
    assert authenticate(token.encode()[:-1], keys, pepper=PEPPER, now=0) is None
    assert authenticate(b"", keys, pepper=PEPPER, now=0) is None
    assert authenticate(token.encode(), {}, pepper=PEPPER, now=0) is None


def test_expiry_and_rotation() -> None:
    old, lookup = new_token()
    new = old[:15] + "x" * 32
    key = _key(new, lookup, expires_at=100, previous_hash=hash_token(old.encode(), PEPPER), previous_until=50)
    keys = {lookup: key}
    assert authenticate(new.encode(), keys, pepper=PEPPER, now=99) is key
    assert authenticate(new.encode(), keys, pepper=PEPPER, now=100) is None
    assert authenticate(old.encode(), keys, pepper=PEPPER, now=49) is key
    assert authenticate(old.encode(), keys, pepper=PEPPER, now=50) is None
