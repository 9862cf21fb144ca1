"""All that the platform's programs leave: files in a folder, and documents in a collection."""

from datetime import date
from typing import Any

from scripts.demo_data.platform import clicks, sales, startups
from scripts.demo_data.platform.landing import Landing

#: The database of the demo, and the collection of its sales.
DATABASE, SALES = "app", "sales"


def is_empty(landing: Landing, documents: Any) -> bool:
    """Whether nothing was written yet."""
    return not (landing.folder / "clicks").exists() or documents[DATABASE][SALES].find_one() is None


def load(landing: Landing, documents: Any, scale: float = 1, seed: int = 7) -> dict[str, int]:
    """Write the first days where they are missing; returns the number of lines and of documents."""
    counts: dict[str, int] = {}
    if not (landing.folder / "clicks").exists():
        counts |= startups.load(landing, scale, seed) | clicks.load(landing, scale, seed)
    collection = documents[DATABASE][SALES]
    return counts | (sales.load(collection, scale, seed) if collection.find_one() is None else {})


def play_day(landing: Landing, documents: Any, scale: float = 1, seed: int = 7) -> date:
    """One more day of all of them."""
    startups.play_day(landing, scale, seed)
    sales.play_day(documents[DATABASE][SALES], scale, seed)
    return clicks.play_day(landing, scale, seed)
