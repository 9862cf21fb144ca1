"""Which tables may start when: inputs first, each once, and a failure holds back what needs it and nothing else."""

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st
from pyspark.sql import DataFrame

from lakehouse.orchestrate.graph import Graph
from lakehouse.orchestrate.runs import Status
from lakehouse.paths import TableName, gold
from lakehouse.registry.loader import Registry
from lakehouse.registry.transformers import Transformer


def never_called() -> DataFrame:
    raise AssertionError("a graph makes nothing")


def registry_of(reads: dict[TableName, list[TableName]]) -> Registry:
    """A registry of marts that read marts."""
    marts = {
        target.table: Transformer(target.table, never_called, {read.table: read for read in inputs}, ())
        for target, inputs in reads.items()
    }
    return Registry(Path("registry"), {}, marts)


@st.composite
def graphs(draw: st.DrawFn) -> dict[TableName, list[TableName]]:
    """What each of some tables reads, in any order; none reads itself at any remove."""
    tables = [gold(f"t{number}") for number in range(draw(st.integers(1, 9)))]
    reads = {
        table: draw(st.lists(st.sampled_from(tables[:place]), unique=True)) if place else []
        for place, table in enumerate(tables)
    }
    return {table: reads[table] for table in draw(st.permutations(tables))}


def walk(
    graph: Graph, broken: set[TableName], choose: st.DataObject
) -> tuple[list[list[TableName]], dict[TableName, str]]:
    """Run ``graph`` to its end; returns what had ended well at each start, that start last, and why tables were skipped."""
    running: list[TableName] = []
    well: list[TableName] = []
    starts: list[list[TableName]] = []
    skips: dict[TableName, str] = {}
    while graph.is_active():
        ready, skipped = graph.ready()
        starts += [[*well, table] for table in ready]
        running += ready
        for run in skipped:
            assert run.status is Status.SKIPPED
            assert run.name not in skips
            skips[run.name] = str(run.error)
        if not running:
            break
        ended = running.pop(choose.draw(st.integers(0, len(running) - 1)))
        graph.ended(ended, good=ended not in broken)
        if ended not in broken:
            well.append(ended)
    assert not graph.is_active()
    assert running == []
    return starts, skips


@given(reads=graphs(), choose=st.data())
def test_inputs_come_first_and_a_failure_skips_what_needs_it_and_nothing_else(
    reads: dict[TableName, list[TableName]], choose: st.DataObject
) -> None:
    wanted = [table for table in reads if choose.draw(st.integers(0, 4))]  # a part of the tables, or all
    broken = {table for table in wanted if not choose.draw(st.integers(0, 3))}
    starts, skips = walk(Graph(registry_of(reads), wanted), broken, choose)

    needs_broken: set[TableName] = set()
    for table in sorted(wanted, key=lambda one: one.table):  # by number: each after all that it reads
        if any(read in wanted and read in broken | needs_broken for read in reads[table]):
            needs_broken.add(table)
    assert set(skips) == needs_broken
    assert sorted(str(start[-1]) for start in starts) == sorted(map(str, set(wanted) - needs_broken))
    for *made, started in starts:
        assert {read for read in reads[started] if read in wanted} <= set(made)
    for table, why in skips.items():
        assert why in {f"{read.dotted} failed" for read in reads[table] if read in broken | needs_broken}


def test_inputs_that_are_no_part_of_the_run_are_not_waited_for() -> None:
    both, left, right = gold("both"), gold("left"), gold("right")
    graph = Graph(registry_of({left: [], right: [], both: [left, right]}), [both, left])
    assert graph.ready() == ([left], [])
    graph.ended(left, good=True)
    assert graph.ready() == ([both], [])


def test_a_table_is_told_to_start_once() -> None:
    one = gold("one")
    graph = Graph(registry_of({one: []}), [one, one])
    assert graph.ready() == ([one], [])
    assert graph.ready() == ([], [])
    assert graph.is_active()
    graph.ended(one, good=True)
    assert not graph.is_active()


def test_a_chain_behind_a_failure_is_skipped_at_once_each_naming_what_it_reads() -> None:
    one, two, three = gold("one"), gold("two"), gold("three")
    graph = Graph(registry_of({one: [], two: [one], three: [two]}), [one, two, three])
    graph.ready()
    graph.ended(one, good=False)
    start, skipped = graph.ready()
    assert start == []
    assert [(run.table, run.error) for run in skipped] == [
        ("gold.two", "gold.one failed"),
        ("gold.three", "gold.two failed"),
    ]
    assert not graph.is_active()
