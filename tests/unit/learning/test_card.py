"""What a model's card tells."""

from dataclasses import replace
from xml.etree import ElementTree

from lakehouse.learning.card import card
from lakehouse.learning.verdict import Verdict
from lakehouse.registry.models import Measure
from tests.unit.learning.things import DAY, judged, made_model


def test_a_card_tells_data_period_measures_with_intervals_and_what_it_is_not_for() -> None:
    found = replace(judged(0.7), measures={"good": Measure(0.7, 0.6, 0.8), "odd": Measure(float("nan"))})
    model = made_model(not_for="prices", description="Who leaves.")
    text = card(model, DAY, DAY, {"silver.events": 12}, found, Verdict(True, "promoted: good"))["card.md"]
    assert text.startswith("# Model m\n\nWho leaves.\n")
    for part in ("| silver.events | 12 |", "| good (gate) | 0.7000 (0.6000 to 0.8000) | 0.5000 |", "| odd | not known |",
                 "Must not be used for**: prices.", "before 2026-03-01 (UTC)", "promoted: good."):  # fmt: skip
        assert part in text
    assert "Calibration" not in text


def test_of_probabilities_the_card_has_a_plot() -> None:
    found = replace(judged(0.7), calibration=[(0.1, 0.2, 5), (0.9, 0.8, 5)])
    files = card(made_model(), DAY, DAY, {}, found, Verdict(True, "promoted"))
    assert "| 0.100 | 0.200 | 5 |" in files["card.md"]
    plot = ElementTree.fromstring(files["calibration.svg"])
    assert len([part for part in plot if part.tag.endswith("circle")]) == 2
