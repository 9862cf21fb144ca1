"""The ring of tokens in parts that cover it exactly once."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

MINIMUM, MAXIMUM = -(2**63), 2**63 - 1


@dataclass(frozen=True)
class TokenRange:
    """The tokens above ``start`` up to and including ``end``; Murmur3 gives no row the minimum token."""

    start: int
    end: int


def split(ring: Sequence[int], parts: int) -> list[list[TokenRange]]:
    """The ring, whose nodes own up to ``ring``'s tokens, in ``parts`` groups of about the same width.

    A range never spans two owners, so that one node can answer it.
    """
    edges = sorted({MINIMUM, MAXIMUM, *(token for token in ring if MINIMUM < token < MAXIMUM)})
    width = (MAXIMUM - MINIMUM) // parts + 1
    cuts = {MINIMUM + width * number for number in range(1, parts)}
    points = sorted({*edges, *(cut for cut in cuts if cut < MAXIMUM)})
    groups: list[list[TokenRange]] = [[] for _ in range(parts)]
    for start, end in itertools.pairwise(points):
        groups[min((start - MINIMUM) // width, parts - 1)].append(TokenRange(start, end))
    return [group for group in groups if group]
