"""What a transform did, with books that balance."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Books:
    """What became of the rows of a batch: ``read = merged + superseded + rejected``; tombstones count as merged."""

    read: int = 0
    merged: int = 0
    superseded: int = 0
    rejected: int = 0


def by_spark(size: int) -> str:
    """The note of a merge that is more than the driver's affair: ``size`` bytes, of what came or of what is merged into."""
    return f"merged by Spark: {size / 2**20:,.1f} MiB"


@dataclass(frozen=True)
class Transformed:
    """What a transform did; ``snapshot`` is ``None`` when there was nothing to do."""

    table: str
    books: Books = Books()
    snapshot: int | None = None
    notes: tuple[str, ...] = ()
