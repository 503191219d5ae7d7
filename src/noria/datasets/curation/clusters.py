"""Pairs joined to clusters, and what of each cluster goes."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from noria.datasets.curation.step import Losses


class Clusters:
    """Union-find over the places that occur in pairs; the smallest place of a cluster is its head."""

    def __init__(self) -> None:
        self._above: dict[int, int] = {}

    def join(self, pairs: Iterable[tuple[int, int]]) -> None:
        for one, other in pairs:
            left, right = self.head(one), self.head(other)
            if left != right:
                self._above[max(left, right)] = min(left, right)

    def head(self, place: int) -> int:
        above = self._above
        root = place
        while (up := above.get(root, root)) != root:
            root = up
        while (up := above.get(place, place)) != root:
            above[place] = root
            place = up
        return root

    def losses(self, alike: Callable[[Any, Any], Any]) -> Losses:
        """All but the heads; `alike(places, heads)` measures them, as arrays."""
        import numpy

        lost = numpy.array(sorted(self._above), numpy.int64)
        kept = numpy.array([self.head(int(place)) for place in lost], numpy.int64)
        measure = alike(lost, kept) if len(lost) else numpy.zeros(0, numpy.float32)
        return Losses(ordinals=lost, kept=kept, measure=measure.astype(numpy.float32))
