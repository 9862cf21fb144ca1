"""Whether a version is promoted: only where it is better than its baseline and than the champion, by the gate's measure."""

import math
from dataclasses import dataclass

from lakehouse.registry.models import Judged, Measure, Model


@dataclass(frozen=True)
class Verdict:
    """What came of comparing; ``why`` says it to people."""

    promoted: bool
    why: str


def verdict(model: Model, judged: Judged, champion: Measure | None, number: int | None) -> Verdict:
    """Compare a new version with the baseline and with the champion.

    Args:
        champion: the gate's measure of the champion; ``None`` where there is none.
        number: the champion's version.
    """
    gate = model.said.gate
    mine, plain = judged.measures[gate], judged.baseline[gate]
    parts = [f"{gate} {mine}", f"baseline {plain}"]
    if champion is not None:
        parts.append(f"champion (version {number}) {champion}")
    told = ", ".join(parts)
    if math.isnan(mine.value) or not _is_better(model, mine, plain):
        return Verdict(False, f"not promoted: not better than the baseline: {told}")
    if champion is not None and not _is_better(model, mine, champion):
        return Verdict(False, f"not promoted: not better than the champion: {told}")
    return Verdict(True, f"promoted: {told}")


def _is_better(model: Model, mine: Measure, other: Measure) -> bool:
    if math.isnan(other.value):
        return True
    gain = other.value - mine.value if model.said.lower_is_better else mine.value - other.value
    return gain > model.said.margin
