"""Training: a model learns from what was known before the holdout, is judged by the holdout, and is promoted or not."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from lakehouse.errors import DataError
from lakehouse.iceberg.lake import Lake
from lakehouse.learning.card import card
from lakehouse.learning.inputs import Pinned
from lakehouse.learning.store import ModelStore, Trial, Version, champion_of
from lakehouse.learning.verdict import verdict
from lakehouse.registry.known import Known
from lakehouse.registry.models import Judged, Measure, Model, Trained
from lakehouse.silver.books import Transformed
from lakehouse.spark import make_active, plan


@dataclass(frozen=True)
class _Trained:
    files: Trained
    judged: Judged
    since: date


def to_version(model: Model, lake: Lake, store: ModelStore, *, anew: bool = False) -> Transformed:
    """Train ``model`` where that is due.

    Args:
        anew: although it is not due; what would be the same again is not trained, though.

    Raises:
        DataError: there is nothing to learn from, or the measure of the gate is not among those that it is judged by.
    """
    found = Pinned(model, lake)
    known = found.known_now()
    versions = store.versions(model.name)
    store.point(model.name, versions)
    if (why := _why_not(model, versions, known.until, found.snapshots, anew=anew)) is not None:
        return Transformed(model.name, notes=(why,))
    plan(lake.spark, found.size)
    make_active(lake.spark)
    champion = champion_of(versions)
    files = store.files(model.name, champion) if champion else None
    trained = _train(model, known, model.said.seed, files)
    of_champion, note = _judged_now(model, champion, files, known, trained)
    found_good = verdict(model, trained.judged, of_champion, champion.number if champion else None)
    version = store.add(
        model.name,
        Trial(
            until=known.until,
            since=trained.since,
            inputs=found.snapshots,
            definition=model.definition,
            seed=model.said.seed,
            promoted=found_good.promoted,
            why=found_good.why,
            judged=trained.judged,
            files=trained.files,
            card=card(model, known.until, trained.since, found.snapshots, trained.judged, found_good),
        ),
    )
    notes = (f"version {version.number}, judged by {trained.judged.rows:,} rows: {found_good.why}", *note)
    return Transformed(model.name, snapshot=version.number, notes=notes)


def same_again(model: Model, lake: Lake, store: ModelStore, number: int) -> str:
    """Train a version again from the snapshots that it was trained from; says that it has the same measures.

    Raises:
        DataError: it has others; or there is no such version, its code was another one, or a snapshot is gone.
    """
    doing = f"training version {number} of model {model.name} again"
    versions = store.versions(model.name)
    version = next((item for item in versions if item.number == number), None)
    if version is None:
        there = ", ".join(str(item.number) for item in versions) or "none"
        raise DataError(f"{doing}: there is no such version; there are: {there}.")
    if version.definition != model.definition:
        raise DataError(
            f"{doing}: its code, or what the registry says of it, was another one then; expected the code that trained it.",
            remedy="Check out the registry and the engine as they were.",
        )
    found = Pinned(model, lake, version.inputs)
    plan(lake.spark, found.size)
    make_active(lake.spark)
    before = champion_of([item for item in versions if item.number < number])
    files = store.files(model.name, before) if before else None
    known = Known(found, model.said.times, version.until)
    measures = _train(model, known, version.seed, files).judged.measures
    other = {name: (then.value, measures[name].value) for name, then in version.measures.items()
             if not math.isclose(then.value, measures[name].value, rel_tol=1e-9)}  # fmt: skip
    if other:
        told = ", ".join(f"{name} {then} then and {now} now" for name, (then, now) in other.items())
        raise DataError(f"{doing}: it has other measures: {told}; expected the same from the same snapshots.")
    return f"version {number} was trained again from its snapshots: the same measures ({', '.join(measures)})"


def _train(model: Model, known: Known, seed: int, champion: Trained | None) -> _Trained:
    since = known.until - timedelta(days=model.said.holdout_days)
    files = model.learner.train(known.at(since), champion, seed)
    judged = model.learner.judge(files, known, since, seed)
    for measures in (judged.measures, judged.baseline):
        if model.said.gate not in measures:
            raise DataError(
                f"training model {model.name}: its gate is {model.said.gate!r}, and it is judged by "
                f"{', '.join(measures) or 'nothing'}; expected the gate among them, for the model and for its baseline.",
                remedy="Correct `gate` beside the model, or what its judge returns.",
            )
    return _Trained(files, judged, since)


def _why_not(
    model: Model, versions: list[Version], until: date, inputs: Mapping[str, int], *, anew: bool
) -> str | None:
    """Why nothing is trained; ``None`` where it is due."""
    if not versions or versions[0].definition != model.definition:
        return None
    last = versions[0]
    if last.until == until and dict(last.inputs) == dict(inputs):
        return f"version {last.number} was trained from just this"
    due = last.until + timedelta(days=model.said.retrain_days)
    return f"version {last.number} holds; the next is due on {due}" if not anew and until < due else None


def _judged_now(
    model: Model, champion: Version | None, files: Trained | None, known: Known, trained: _Trained
) -> tuple[Measure | None, tuple[str, ...]]:
    """The champion's measure on the same days; its own of then, where the code of today cannot read it any more."""
    if champion is None or files is None:
        return None, ()
    gate = model.said.gate
    try:
        measure = model.learner.judge(files, known, trained.since, model.said.seed).measures[gate]
    except DataError as error:
        return champion.measures[gate], (f"the champion was compared by its own measure of then: {error}",)
    return (measure, ()) if not math.isnan(measure.value) else (champion.measures[gate], ())
