import json
from typing import cast

from noria.access.key import Key
from noria.gateway.call import CallState
from noria.gateway.compiled import World
from noria.gateway.dialects.fronts import FRONTS


def _body(*texts: str) -> bytes:
    said = [{"role": "user", "content": text} for text in texts]
    return json.dumps({"model": "m", "input": said}).encode()


def test_a_request_that_was_read_before_its_earlier_turns_came_is_read_again() -> None:
    """The first target keeps the turns itself; the next one, after a failure, has to be told them."""
    world = cast(World, None)
    call = CallState(
        front=FRONTS["responses"],
        world=world,
        key=Key("k", "l", b""),
        body=_body("go on"),
        start=1,
        headers={},
    )
    assert len(call.request.messages) == 1
    call.expand(_body("a story, please", "once", "go on"))
    assert len(call.request.messages) == 3
