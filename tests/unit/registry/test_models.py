"""Models in the registry: what the decorator takes, and what becomes of it."""

from pathlib import Path
from typing import Any

import pytest

from lakehouse.errors import ConfigurationError
from lakehouse.orchestrate.plan import describe, select, waves
from lakehouse.paths import Layer, TableName, gold
from lakehouse.registry import loader
from lakehouse.registry.collecting import collecting
from lakehouse.registry.models import Model, model

SAID: dict[str, Any] = {
    "name": "churn",
    "scores": "churn_scores",
    "reads": {"orders": "silver.orders"},
    "times": {"orders": "placed_at"},
    "clock": "orders",
    "holdout_days": 90,
    "gate": "auc",
    "grain": "customer_id",
    "columns": {"customer_id": "Who.", "probability": "How likely."},
}
MODULE = '''
from lakehouse.learning import model

@model(name="churn", scores="churn_scores", reads={"orders": "silver.orders"}, times={"orders": "placed_at"},
       clock="orders", holdout_days=90, gate="auc", grain="customer_id", columns={"customer_id": "Who."})
class Churn:
    """Who leaves."""
    def train(self, known, champion, seed): ...
    def judge(self, trained, known, since, seed): ...
    def score(self, trained, known): ...
'''


class Learner:
    """Who leaves.

    More of it.
    """

    def train(self) -> None: ...
    def judge(self) -> None: ...
    def score(self) -> None: ...


def made(learner: type = Learner, **said: Any) -> Model:
    with collecting() as found:
        model(**{**SAID, **said})(learner)
    (one,) = found
    assert isinstance(one, Model)
    return one


def test_what_is_said_and_a_class_make_a_model() -> None:
    found = made()
    assert found.target == TableName(Layer.MODEL, "churn")
    assert found.said.description == "Who leaves."
    assert list(found.columns) == ["customer_id", "probability", "model_version", "as_of"]
    assert found.said.grain == ("customer_id",)


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ({"clock": "order"}, r"clock 'order' is not among `times`. Did you mean 'orders'"),
        ({"times": {"orders": "a", "x": "b"}}, "'x' is not among what it reads"),
        ({"columns": {"customer_id": "", "as_of": ""}}, "as_of: the engine adds this column itself"),
        ({"grain": "id"}, "expected at least one column, and all of them among `columns`"),
        ({"holdout_days": 0}, "holdout_days"),
        ({"reads": {"orders": "raw.orders"}}, "expected a table of silver or gold"),
        ({"gates": "x"}, "gates"),
    ],
    ids=str,
)
def test_what_does_not_hold_together_is_refused_with_file_and_line(said: dict[str, Any], told: str) -> None:
    with pytest.raises(ConfigurationError, match=told) as caught:
        made(**said)
    line = Learner.train.__code__.co_firstlineno
    assert str(caught.value).startswith(f"{__file__}:{line}: model 'churn'")


def test_a_class_that_cannot_learn_is_refused() -> None:
    class Half:
        def train(self) -> None: ...

    with pytest.raises(ConfigurationError, match=r"the class has no judge, score; expected train, judge and score"):
        made(Half)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "shop").mkdir()
    columns = "columns: {order_id: bigint}\nkey: [order_id]\n"
    (tmp_path / "shop" / "orders.yml").write_text(f"source: {{connection: app, relation: public.orders}}\n{columns}")
    (tmp_path / "shop" / "churn.py").write_text(MODULE)
    return tmp_path


def test_a_run_makes_models_and_scores_only_where_it_is_asked_for_them(folder: Path) -> None:
    registry = loader.load(folder)
    learnt = [registry.models["churn"].target, gold("churn_scores")]
    assert [target for target in select(registry) if target in learnt] == []
    assert [target for target in select(registry, models=True) if target in learnt] == learnt
    assert select(registry, ["churn"]) == learnt[:1]
    assert registry.inputs_of(learnt[1]) == (TableName(Layer.SILVER, "orders"), learnt[0])
    steps = describe(registry, waves(registry, select(registry, models=True)))
    assert [row["how"] for row in steps][-2:] == [
        "trained where due on silver.orders", "scored by its champion from silver.orders, model.churn"]  # fmt: skip
    assert registry.domain_of(learnt[0]) == "shop"


def test_another_text_of_its_module_makes_another_definition(folder: Path) -> None:
    before = loader.load(folder).models["churn"].definition
    assert loader.load(folder).models["churn"].definition == before
    (folder / "shop" / "churn.py").write_text(MODULE + "\nMORE = 1\n")
    assert loader.load(folder).models["churn"].definition != before


def test_a_model_that_reads_what_nothing_makes_or_takes_a_name_is_refused(folder: Path) -> None:
    (folder / "shop" / "churn.py").write_text(MODULE.replace("silver.orders", "silver.baskets"))
    with pytest.raises(ConfigurationError, match=r"reads silver\.baskets, which nothing makes"):
        loader.load(folder)
    (folder / "shop" / "churn.py").write_text(MODULE)
    (folder / "shop" / "churn_scores.sql").write_text("-- grain: [order_id]\nSELECT order_id FROM silver.orders")
    with pytest.raises(ConfigurationError, match=r"table 'churn_scores' is made by .*churn.py already"):
        loader.load(folder)
