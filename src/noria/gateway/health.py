"""What this worker has seen of a target lately: circuit breaker, cooldown, latency, calls in flight."""

from __future__ import annotations

from collections import deque

from noria.gateway.snapshot import Breaker

SMOOTHING = 0.2
"""Weight of the newest latency in the moving average."""


class Health:
    """One target on one worker. Times are in seconds of `time.monotonic`.

    Closed → open after `failures` within `window`; open → half-open after `cooldown`, when one call is let
    through; its success closes, its failure opens again.
    """

    __slots__ = ("_failures", "_open_until", "_probing", "_rule", "busy", "cooldown_until", "latency")

    def __init__(self, rule: Breaker) -> None:
        self._rule = rule
        self._failures: deque[float] = deque(maxlen=max(rule.failures, 1))
        self._open_until = 0.0
        self._probing = False
        self.cooldown_until = 0.0
        self.latency = 0.0
        """Exponentially weighted mean of seconds to the first token; 0: nothing seen."""
        self.busy = 0

    def refuses(self, now: float) -> str:
        """Why no call should go there now, or ""."""
        if now < self.cooldown_until:
            return f"cooling down for {self.cooldown_until - now:.1f} s after a rate limit"
        if now < self._open_until:
            return f"circuit open for {self._open_until - now:.1f} s after {self._rule.failures} failures"
        if self._open_until and self._probing:
            return "circuit half open, one call is trying"
        return ""

    def begin(self) -> None:
        """A call goes there."""
        self.busy += 1
        if self._open_until:
            self._probing = True

    def end(self) -> None:
        """The call is over, however it went."""
        self.busy -= 1

    def succeeded(self, seconds: float) -> None:
        """The first content arrived `seconds` after the call began."""
        self._open_until = 0.0
        self._probing = False
        self._failures.clear()
        self.latency = seconds if not self.latency else self.latency + SMOOTHING * (seconds - self.latency)

    def failed(self, now: float, *, retry_after: float | None = None) -> None:
        """The target failed in a way that is its own fault."""
        if retry_after is not None:
            self.cooldown_until = now + retry_after
        rule = self._rule
        if self._probing:
            self._probing = False
            self._open_until = now + rule.cooldown
            return
        self._failures.append(now)
        if rule.failures and len(self._failures) == rule.failures and now - self._failures[0] <= rule.window:
            self._failures.clear()
            self._open_until = now + rule.cooldown

    def abandoned(self) -> None:
        """The caller hung up: says nothing of the target, and frees the half-open place."""
        self._probing = False
