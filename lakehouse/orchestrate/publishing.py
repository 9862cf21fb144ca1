"""Whether a run publishes: only when every gold table stands as its last good run left it."""

from collections.abc import Collection
from dataclasses import dataclass

from lakehouse.iceberg.lake import Lake
from lakehouse.orchestrate.history import TableEnd, last_ends
from lakehouse.paths import TableName
from lakehouse.publish.release import made_gold, release
from lakehouse.registry.loader import Registry
from lakehouse.settings import Profile


@dataclass(frozen=True)
class Publication:
    """What became of publishing; ``note`` names what held it back."""

    published: bool
    note: str = ""


def publish(registry: Registry, lake: Lake, profile: Profile, made: Collection[TableName]) -> Publication:
    """Publish after a run that made all of ``made`` well, unless a gold table that it did not make is not as it should.

    Raises:
        SystemFailureError: DuckDB cannot read a table; the old file stays.
    """
    gold = (table.name for table in made_gold(registry, lake))
    others = [name for name in gold if name not in made and not registry.is_learnt(name)]
    bad = _ended_badly(others, lake) if others else []
    if bad:
        causes = ", ".join(f"{end.table.dotted} {_ended(end)} in run {end.run_id}" for end in bad)
        return Publication(
            False,
            f"not published: {causes}; the analysts' file stays as it was until the next good run of "
            f"{'it' if len(bad) == 1 else 'them'} (--resume, or --tables {','.join(end.table.table for end in bad)})",
        )
    release(registry, lake, profile)
    return Publication(True)


def _ended_badly(tables: Collection[TableName], lake: Lake) -> list[TableEnd]:
    ends = last_ends(lake)
    return [ends[name] for name in tables if name in ends and not ends[name].status.is_good]


def _ended(end: TableEnd) -> str:
    return {"failed": "failed", "skipped": "was skipped", "died": "was not told of"}.get(end.status, str(end.status))
