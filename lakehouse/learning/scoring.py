"""Scoring: the champion's answers become a gold table, by the way of all gold tables."""

from collections.abc import Callable
from dataclasses import replace

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from lakehouse.fingerprint import fingerprint
from lakehouse.learning.inputs import whole_days
from lakehouse.learning.store import ModelStore, Version
from lakehouse.matching import ends_of
from lakehouse.registry.known import Known
from lakehouse.registry.models import AS_OF_COLUMN, VERSION_COLUMN, Model
from lakehouse.registry.transformers import Transformer


def scoring(model: Model, transformer: Transformer, store: ModelStore) -> Transformer | None:
    """The transformer that makes the table of scores by the champion; ``None`` where there is no champion yet.

    It is another one with each champion, so that the table is made anew then; for one champion it follows its inputs.
    """
    champion = store.champion(model.name)
    if champion is None:
        return None
    definition = fingerprint(transformer.definition, str(champion.number), champion.run_id)
    return replace(transformer, function=_by(model, store, champion), definition=definition)


def _by(model: Model, store: ModelStore, champion: Version) -> Callable[..., DataFrame]:
    def scores(**rows: DataFrame) -> DataFrame:
        said = model.said
        newest = ends_of(rows[said.clock], said.times[said.clock])[1]
        known = Known(rows, said.times, whole_days(model, newest))
        found = model.learner.score(store.files(model.name, champion), known)
        return found.select(
            *model.said.columns,
            F.lit(champion.number).alias(VERSION_COLUMN),
            F.lit(known.until).alias(AS_OF_COLUMN),
        )

    return scores
