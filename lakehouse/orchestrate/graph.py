"""Which tables of a run may start: those whose inputs, as far as they are a part of the run, are made."""

from collections.abc import Iterable
from graphlib import TopologicalSorter

from lakehouse.orchestrate.plan import blocked_by
from lakehouse.orchestrate.runs import TableRun
from lakehouse.paths import TableName
from lakehouse.registry.loader import Registry


class Graph:
    """The tables of a run, and how far it is with them. For one thread."""

    def __init__(self, registry: Registry, targets: Iterable[TableName]) -> None:
        wanted = dict.fromkeys(targets)
        self._registry = registry
        self._failed: set[TableName] = set()
        self._order: TopologicalSorter[TableName] = TopologicalSorter(
            {target: [read for read in registry.inputs_of(target) if read in wanted] for target in wanted}
        )
        self._order.prepare()

    def is_active(self) -> bool:
        """Whether a table is left that has not ended."""
        return self._order.is_active()

    def ready(self) -> tuple[list[TableName], list[TableRun]]:
        """Tables that may start now, each told once, and those that are skipped since what they read failed."""
        start: list[TableName] = []
        skipped: list[TableRun] = []
        found = list(self._order.get_ready())
        while found:
            for target in found:
                cause = blocked_by(self._registry, target, self._failed)
                if cause is None:
                    start.append(target)
                    continue
                skipped.append(TableRun.skipped(target, cause))
                self.ended(target, good=False)
            found = list(self._order.get_ready())
        return start, skipped

    def ended(self, target: TableName, *, good: bool) -> None:
        """``target`` is made, or will not be in this run."""
        if not good:
            self._failed.add(target)
        self._order.done(target)
