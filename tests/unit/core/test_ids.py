"""Ids sort by when they were made."""

from noria.core.ids import new_id


def test_ids_of_one_millisecond_keep_their_order() -> None:
    made = [new_id("x") for _ in range(20_000)]
    assert made == sorted(made) and len(set(made)) == len(made)
    assert all(len(id) == 28 for id in made)
