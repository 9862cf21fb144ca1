"""What a registry's modules of models import: ``from lakehouse.learning import Known, model``."""

from lakehouse.registry.known import Known
from lakehouse.registry.models import Judged, Measure, Trained, model

__all__ = ["Judged", "Known", "Measure", "Trained", "model"]
