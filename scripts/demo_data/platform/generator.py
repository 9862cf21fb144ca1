"""All that the platform's programs leave: files in a folder, documents in a collection, and messages of a topic."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from scripts.demo_data.platform import clicks, sales, startups, stream
from scripts.demo_data.platform.landing import Landing

#: The database of the demo, and the collection of its sales.
DATABASE, SALES = "app", "sales"


@dataclass(frozen=True)
class Platform:
    """Where its programs write.

    Attributes:
        documents: a client of the server of documents.
        servers: of Kafka, ``host:port``.
    """

    landing: Landing
    documents: Any
    servers: str

    @property
    def _sales(self) -> Any:
        return self.documents[DATABASE][SALES]

    def is_empty(self) -> bool:
        """Whether one of them wrote nothing yet."""
        return not self.landing.days("clicks") or self._sales.find_one() is None or stream.is_empty(self.servers)

    def load(self, scale: float = 1, seed: int = 7) -> dict[str, int]:
        """Write the first days where they are missing; returns the number of lines, documents and messages."""
        counts: dict[str, int] = {}
        if not self.landing.days("clicks"):
            counts |= startups.load(self.landing, scale, seed) | clicks.load(self.landing, scale, seed)
        if self._sales.find_one() is None:
            counts |= sales.load(self._sales, scale, seed)
        if stream.is_empty(self.servers):
            counts["messages"] = stream.send(self.servers, self.landing.days("clicks"), scale, seed)
        return counts

    def play_day(self, scale: float = 1, seed: int = 7, rate: float | None = None) -> date:
        """One more day of all of them; messages at ``rate`` a second."""
        startups.play_day(self.landing, scale, seed)
        sales.play_day(self._sales, scale, seed)
        day = clicks.play_day(self.landing, scale, seed)
        stream.send(self.servers, [day], scale, seed, rate)
        return day
