"""What is recommended, and vectors of items: both from tastes that a test gives to people."""

from datetime import UTC, date, datetime, timedelta
from random import Random

import numpy as np
import pyarrow as pa
import pytest
from pyspark.sql import DataFrame, SparkSession

from lakehouse.errors import DataError
from lakehouse.learning.embedding import Embedding
from lakehouse.learning.factors import Factors
from lakehouse.learning.ranking import FEATURES, Ranking
from lakehouse.learning.recommending import Recommending
from lakehouse.registry.known import Known
from tests.unit.learning.people import frame, known

BEGIN, END, SINCE = datetime(2026, 1, 1, tzinfo=UTC), date(2026, 3, 1), date(2026, 2, 15)
STYLES, EACH = 5, 12


class Shelf(Recommending):
    """Of numbered items."""

    one, item, most, rank, rounds = "who", "what", 5, 8, 6

    def taken(self, known: Known) -> DataFrame:
        return known.table("taken").select("one", "item", "at")

    def ones(self, known: Known) -> DataFrame:
        return known.table("ones")


class Order(Ranking):
    """Of numbered items, of which each style is a kind."""

    one, item, most, candidates, rank, rounds, trees, label_days = "who", "what", 5, 20, 8, 6, 30, 14

    def taken(self, known: Known) -> DataFrame:
        return known.table("taken").select("one", "item", "at")

    def ones(self, known: Known) -> DataFrame:
        return known.table("ones")

    def about(self, known: Known) -> DataFrame:
        items = known.table("taken").select("item").distinct()
        return items.selectExpr("item", f"CAST(item DIV {EACH} AS STRING) AS kind", "item AS price")


class Vectors(Embedding):
    """Of numbered items."""

    item, rank, rounds = "what", 8, 6

    def baskets(self, known: Known) -> DataFrame:
        return known.table("taken").select("basket", "item", "at")

    def texts(self, known: Known) -> DataFrame:
        return known.table("texts")


@pytest.fixture(scope="module")
def now(spark: SparkSession) -> Known:
    """Each one takes items of one style, of twelve each; person 999 has taken nothing."""
    random, rows = Random(1), []
    for one in range(120):
        for basket in range(8):
            at = BEGIN + timedelta(days=random.uniform(0, 58))
            for _ in range(2):
                style = one % STYLES if random.random() < 0.9 else random.randrange(STYLES)
                rows.append((one, 1000 * one + basket, style * EACH + random.randrange(EACH), at))
    ones = [(one, "DE" if one % 2 else "FR") for one in (*range(120), 999)]
    texts = [(0, "red wool scarf"), (1, "scarlet woollen shawl"), (2, "cordless power drill"), (3, None)]
    return known(
        END,
        taken=frame(spark, rows, "one int, basket int, item int, at timestamp"),
        ones=frame(spark, ones, "one int, place string"),
        texts=frame(spark, texts, "item int, text string"),
    )


def test_recommendations_follow_tastes_leave_out_what_was_taken_and_know_the_cold(now: Known) -> None:
    shelf = Shelf()
    trained = shelf.train(now.at(SINCE), None, 7)
    assert shelf.train(now.at(SINCE), None, 7) == trained
    judged = shelf.judge(trained, now, SINCE, 7)
    assert judged.measures["recall_at_5"].value > 2 * judged.baseline["recall_at_5"].value
    assert judged.measures["ndcg_at_5"].value > judged.baseline["ndcg_at_5"].value
    assert 0 < judged.measures["coverage"].value <= 1
    scores = shelf.score(trained, now).collect()
    taken = {(row["one"], row["item"]) for row in now.table("taken").collect()}
    assert not taken & {(row["who"], row["what"]) for row in scores}
    by_one: dict[int, list[tuple[int, int, str]]] = {}
    for row in scores:
        by_one.setdefault(row["who"], []).append((row["rank"], row["what"], row["reason"]))
    assert by_one.keys() == {*range(120), 999}
    assert all(sorted(rank for rank, _, _ in found) == list(range(1, len(found) + 1)) for found in by_one.values())
    assert {reason for _, _, reason in by_one[999]} == {"popular"}
    assert len(by_one[999]) == 5
    of_taste = [what // EACH == one % STYLES for one in range(120) for rank, what, _ in by_one[one] if rank == 1]
    assert sum(of_taste) / len(of_taste) > 0.6


def test_what_was_taken_may_be_recommended_where_that_is_set(now: Known) -> None:
    class Again(Shelf):
        leave_out_taken = False

    scores = Again().score(Shelf().train(now, None, 7), now).collect()
    taken = {(row["one"], row["item"]) for row in now.table("taken").collect()}
    assert taken & {(row["who"], row["what"]) for row in scores}


def test_a_ranking_is_learnt_and_its_files_alone_answer(now: Known) -> None:
    order = Order()
    trained = order.train(now.at(SINCE), None, 7)
    assert order.train(now.at(SINCE), None, 7) == trained
    judged = order.judge(trained, now, SINCE, 7)
    assert judged.rows > 20
    assert judged.measures.keys() == judged.baseline.keys() == {"recall_at_5", "ndcg_at_5", "coverage"}
    scores = order.score(trained, now).collect()
    taken = {(row["one"], row["item"]) for row in now.table("taken").collect()}
    assert not taken & {(row["who"], row["what"]) for row in scores}
    ranks = order.ranks(trained)
    mine = [row["what"] for row in sorted(scores, key=lambda row: row["rank"]) if row["who"] == 1]
    assert [item for item, _ in ranks.order(1, mine[::-1])] == mine
    found = ranks.order(1, [70_000, 3, "x", 13])
    assert {item for item, _ in found[:2]} == {3, 13}
    assert {item for item, _ in found[2:]} == {70_000, "x"}
    assert [score for _, score in found] == sorted((score for _, score in found), reverse=True)
    assert len(ranks.order("nobody", [3, 13])) == 2
    assert ranks.features(0, np.array([1, 2])).shape == (2, len(FEATURES))
    with pytest.raises(DataError, match=r"trained on \['x'\]; expected fit"):
        order.ranks({**trained, "about.json": b'{"features": ["x"]}'})


def test_vectors_of_baskets_know_what_goes_together_and_those_of_texts_what_is_called_alike(now: Known) -> None:
    vectors = Vectors()
    trained = vectors.train(now.at(SINCE), None, 7)
    judged = vectors.judge(trained, now, SINCE, 7)
    assert judged.measures["recall_at_20"].value > judged.baseline["recall_at_20"].value
    rows = vectors.score(trained, now).collect()
    by_kind: dict[str, dict[int, np.ndarray[tuple[int], np.dtype[np.float64]]]] = {"baskets": {}, "texts": {}}
    for row in rows:
        by_kind[row["kind"]][row["what"]] = np.array(row["vector"])
    assert {round(float(np.linalg.norm(vector)), 3) for vector in by_kind["baskets"].values()} == {1.0}
    assert len(by_kind["baskets"]) == STYLES * EACH
    texts = by_kind["texts"]
    assert texts[0] @ texts[1] > texts[0] @ texts[2] + 0.1
    assert texts.keys() == {0, 1, 2, 3}


def test_where_nobody_took_anything_there_is_nothing_to_learn(now: Known) -> None:
    with pytest.raises(DataError, match="nobody took anything before 2025-01-01"):
        Shelf().train(now.at(date(2025, 1, 1)), None, 7)
    with pytest.raises(DataError, match="nothing was taken before 2025-01-01"):
        Vectors().train(now.at(date(2025, 1, 1)), None, 7)
    with pytest.raises(DataError, match="nobody known took something new"):
        Shelf().judge(Shelf().train(now, None, 7), now, END, 7)


def test_factors_come_back_from_their_file() -> None:
    keys, vectors = pa.array(["a", "b"]), np.arange(6, dtype=np.float32).reshape(2, 3)
    found = Factors.from_bytes(Factors(keys, vectors).as_bytes())
    assert found.keys.equals(keys)
    assert np.array_equal(found.vectors, vectors)
    assert found.of(pa.array(["b", "x", "a"])).tolist() == [1, -1, 0]
