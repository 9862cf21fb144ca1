"""Trees as the files of a version: a booster of XGBoost's, and the features that it was trained on."""

import json
from collections.abc import Sequence
from typing import Any

from lakehouse.errors import DataError
from lakehouse.registry.models import Trained

_MODEL, _ABOUT = "model.ubj", "about.json"


def saved(booster: Any, features: Sequence[str]) -> dict[str, bytes]:
    """The files of ``booster``, which knows ``features``."""
    return {_MODEL: bytes(booster.save_raw("ubj")), _ABOUT: json.dumps({"features": list(features)}).encode()}


def loaded(trained: Trained, features: Sequence[str]) -> Any:
    """The booster among the files of a version.

    Raises:
        DataError: it was trained on other features than ``features``.
    """
    import xgboost  # noqa: PLC0415  (an extra)

    known = json.loads(trained[_ABOUT])["features"] if _ABOUT in trained else None
    if known != list(features):
        raise DataError(
            f"asking a model of trees: it was trained on {known or 'nobody knows which features'}; expected "
            f"{', '.join(features)}.",
            remedy="Train it anew: its code is another one now.",
        )
    booster = xgboost.Booster({"nthread": 1})
    booster.load_model(bytearray(trained[_MODEL]))
    return booster
