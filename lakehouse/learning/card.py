"""The card of a version: what it was made from, how well it does, and what it must not be used for."""

import math
from collections.abc import Iterator, Mapping
from datetime import date

from lakehouse.learning.verdict import Verdict
from lakehouse.registry.models import Judged, Measure, Model


def card(
    model: Model, until: date, since: date, inputs: Mapping[str, int], judged: Judged, verdict: Verdict
) -> dict[str, str]:
    """The files of a card: ``card.md``, and ``calibration.svg`` for a model that gives probabilities."""
    files = {"card.md": "\n".join(_lines(model, until, since, inputs, judged, verdict)) + "\n"}
    if judged.calibration:
        files["calibration.svg"] = _plot(judged)
    return files


def _lines(
    model: Model, until: date, since: date, inputs: Mapping[str, int], judged: Judged, verdict: Verdict
) -> Iterator[str]:
    said = model.said
    yield from (f"# Model {said.name}", "", said.description, "", f"**Verdict**: {verdict.why}.", "")
    yield f"**Must not be used for**: {said.not_for or 'nothing is said; think before it decides about people'}."
    yield from ("", "## Data", "", "| table | snapshot |", "|---|---|")
    for table, snapshot in sorted(inputs.items()):
        yield f"| {table} | {snapshot} |"
    yield from (
        "",
        f"Trained on what was known before {since} (UTC); judged by what came from then until {until}, the end not included: "
        f"{judged.rows:,} rows.",
        f"Seed {said.seed}; trained again after {said.retrain_days} days of data.",
    )
    yield from ("", "## Measures", "", "| measure | model | without it |", "|---|---|---|")
    for name, measure in judged.measures.items():
        plain = judged.baseline.get(name)
        yield f"| {name}{' (gate)' if name == said.gate else ''} | {_shown(measure)} | {_shown(plain) if plain else ''} |"
    yield from ("", "In brackets: the interval that holds the measure with 95 %, by resampling the judged rows.")
    if judged.calibration:
        yield from ("", "## Calibration", "", "![calibration](calibration.svg)", "")
        yield from ("| mean probability | came true | rows |", "|---|---|---|")
        for probability, share, rows in judged.calibration:
            yield f"| {probability:.3f} | {share:.3f} | {rows:,} |"


def _shown(measure: Measure) -> str:
    return "not known" if math.isnan(measure.value) else str(measure)


def _plot(judged: Judged) -> str:
    """Probability against what came true: a perfect model lies on the diagonal."""
    size, edge = 320, 30
    span = size - 2 * edge

    def at(probability: float, share: float) -> tuple[float, float]:
        return edge + span * probability, size - edge - span * share

    points = [at(probability, share) for probability, share, _ in judged.calibration]
    dots = "".join(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="#1f5f99"/>' for x, y in points)
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    (left, bottom), (right, top) = at(0, 0), at(1, 1)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{size}" height="{size}" font-family="sans-serif" font-size="11">'
        f'<rect x="{edge}" y="{edge}" width="{span}" height="{span}" fill="none" stroke="#888"/>'
        f'<line x1="{left}" y1="{bottom}" x2="{right}" y2="{top}" stroke="#bbb" stroke-dasharray="4"/>'
        f'<polyline points="{line}" fill="none" stroke="#1f5f99"/>{dots}'
        f'<text x="{size / 2}" y="{size - 8}" text-anchor="middle">probability (0 to 1)</text>'
        f'<text x="12" y="{size / 2}" text-anchor="middle" transform="rotate(-90 12 {size / 2})">came true (0 to 1)</text>'
        "</svg>\n"
    )
