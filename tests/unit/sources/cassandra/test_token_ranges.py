"""The ring in parts: whatever its nodes own, no row is read twice and none is missed."""

import itertools

from hypothesis import given
from hypothesis import strategies as st

from lakehouse.sources.cassandra.token_ranges import MAXIMUM, MINIMUM, TokenRange, split

TOKENS = st.integers(MINIMUM, MAXIMUM) | st.sampled_from([MINIMUM, MINIMUM + 1, -1, 0, 1, MAXIMUM - 1, MAXIMUM])
RINGS = st.lists(TOKENS, max_size=40)
PARTS = st.integers(1, 64)


def ranges(ring: list[int], parts: int) -> list[TokenRange]:
    return [found for group in split(ring, parts) for found in group]


@given(RINGS, PARTS)
def test_the_ring_is_covered_once_from_its_first_token_to_its_last(ring: list[int], parts: int) -> None:
    covered = sorted(ranges(ring, parts), key=lambda found: found.start)
    assert covered[0].start == MINIMUM  # Murmur3 gives no row this token, and a range leaves out its start
    assert covered[-1].end == MAXIMUM
    assert all(found.start < found.end for found in covered)
    assert all(one.end == next_one.start for one, next_one in itertools.pairwise(covered))


@given(RINGS, PARTS, TOKENS.filter(lambda token: token > MINIMUM))
def test_each_row_is_in_exactly_one_range(ring: list[int], parts: int, token: int) -> None:
    assert sum(found.start < token <= found.end for found in ranges(ring, parts)) == 1


@given(RINGS, PARTS)
def test_no_range_spans_two_owners_so_that_one_node_can_answer_it(ring: list[int], parts: int) -> None:
    for found in ranges(ring, parts):
        assert not any(found.start < token < found.end for token in ring)


@given(RINGS, PARTS)
def test_there_are_as_many_groups_as_asked_for_of_about_one_width(ring: list[int], parts: int) -> None:
    groups = split(ring, parts)
    assert len(groups) == parts
    widths = [sum(found.end - found.start for found in group) for group in groups]
    assert max(widths) - min(widths) <= parts
