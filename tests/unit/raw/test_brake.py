"""When the lake does not follow its source without a person's word."""

import pytest

from lakehouse.errors import BrakeError
from lakehouse.raw.brake import check_brake
from lakehouse.raw.request import Request
from lakehouse.registry.tables import SourceTable

TABLE = SourceTable.model_validate(
    {"table": "coupons", "domain": "shop", "source": {"connection": "app", "relation": "public.coupons"}}
)


@pytest.mark.parametrize(("lake", "source", "gone"), [(0, 0, 0), (10, 10, 0), (10, 8, 2), (10, 12, -2), (5, 5, 1)])
def test_few_may_go_without_a_word(lake: int, source: int, gone: int) -> None:
    check_brake(TABLE, lake, source, gone, Request("run"))


@pytest.mark.parametrize(
    ("lake", "source", "gone", "told"),
    [(10, 7, 3, "3 of 10 rows are gone"), (10, 0, 10, "the source shows no row at all"), (1, 0, 1, "no row at all")],
)
def test_many_stop_the_table_and_the_message_says_how_to_confirm(lake: int, source: int, gone: int, told: str) -> None:
    with pytest.raises(BrakeError) as caught:
        check_brake(TABLE, lake, source, gone, Request("run"))
    assert told in str(caught.value)
    assert "expected at most 20% (`deletes.max_share`). Nothing was deleted in the lake." in str(caught.value)
    assert "--accept-deletes coupons" in str(caught.value)
    check_brake(TABLE, lake, source, gone, Request("run", accept_deletes=frozenset({"coupons"})))


def test_a_full_refresh_is_a_word_for_any_share_but_not_for_an_empty_source() -> None:
    check_brake(TABLE, 10, 1, 9, Request("run", full_refresh=True))
    with pytest.raises(BrakeError, match="no row at all"):
        check_brake(TABLE, 10, 0, 10, Request("run", full_refresh=True))
