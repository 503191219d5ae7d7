from noria.gateway.health import Health
from noria.gateway.snapshot import Breaker


def test_the_circuit_opens_tries_one_call_and_closes() -> None:
    health = Health(Breaker(failures=2, window=10, cooldown=5))
    health.failed(0.0)
    assert not health.refuses(0.0)
    health.failed(1.0)
    assert "circuit open" in health.refuses(1.0)
    assert not health.refuses(6.5)
    health.begin()
    assert "half open" in health.refuses(6.5)
    health.succeeded(0.1)
    assert not health.refuses(6.5)


def test_a_failed_probe_opens_again_and_an_abandoned_one_frees_the_place() -> None:
    health = Health(Breaker(failures=1, window=10, cooldown=5))
    health.failed(0.0)
    health.begin()
    health.failed(6.0)
    assert "circuit open" in health.refuses(6.0)
    health.begin()
    health.abandoned()
    assert not health.refuses(12.0)


def test_failures_far_apart_do_not_open() -> None:
    health = Health(Breaker(failures=2, window=10, cooldown=5))
    health.failed(0.0)
    health.failed(11.0)
    assert not health.refuses(11.0)


def test_a_rate_limit_cools_down() -> None:
    health = Health(Breaker())
    health.failed(0.0, retry_after=3.0)
    assert "cooling down" in health.refuses(2.9)
    assert not health.refuses(3.1)
