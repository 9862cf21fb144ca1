from itertools import combinations

from lakehouse.fingerprint import fingerprint


def test_a_fingerprint_is_the_same_in_every_run_and_short() -> None:
    assert fingerprint("a", b"b") == fingerprint(b"a", "b") == "8fb20ef63ced4145"


def test_parts_do_not_flow_into_one_another() -> None:
    texts = [("ab",), ("a", "b"), ("", "ab"), ("ab", ""), ("b", "a"), ()]
    for one, other in combinations(texts, 2):
        assert fingerprint(*one) != fingerprint(*other)
