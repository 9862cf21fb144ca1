"""Which columns of its inputs each column of a DataFrame is computed from, read off Spark's analyzed plan.

The inputs are :func:`tagged` frames: their innermost columns bear the input's name, which tells them apart however
often the plan repeats them. Nothing is executed.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pyspark.sql import DataFrame, SparkSession

from lakehouse.paths import quote

_MARK = "|"
_LEFT_ONLY = ("LeftSemi$", "LeftAnti$")
_NOTHING: frozenset[str] = frozenset()

_Columns = dict[int, frozenset[str]]  # by expression id, in the order of the plan's output


@dataclass(frozen=True)
class Origin:
    """A column of an input."""

    table: str
    column: str

    def __str__(self) -> str:
        return f"{self.table}.{self.column}"


@dataclass(frozen=True)
class Lineage:
    """What a DataFrame is computed from.

    Attributes:
        types: name to Spark SQL type of each of its columns.
        columns: for each, the input columns that its value is computed from; none for constants and for counts of rows.
        rows: the input columns that decide which rows there are: of filters, join conditions and groupings.
    """

    types: Mapping[str, str]
    columns: Mapping[str, tuple[Origin, ...]]
    rows: tuple[Origin, ...]


def tagged(spark: SparkSession, table: str, columns: Mapping[str, str]) -> DataFrame:
    """An empty DataFrame with ``columns`` (name to Spark SQL type) that stands for ``table``."""
    schema = ", ".join(f"{quote(tag(table, name))} {kind}" for name, kind in columns.items())
    nothing: list[Any] = []
    return spark.createDataFrame(nothing, schema).toDF(*columns)


def tag(table: str, column: str) -> str:
    """The innermost name of a column of an input."""
    return f"{table}{_MARK}{column}"


def lineage(frame: DataFrame) -> Lineage:
    """The lineage of ``frame``, whose inputs are tagged."""
    plan: Any = frame._jdf.queryExecution().analyzed()
    walk = _Walk()
    found = walk.columns(_tree(json.loads(plan.toJSON())))
    fields = frame.schema.fields
    return Lineage(
        {field.name: field.dataType.simpleString() for field in fields},
        {field.name: _origins(leaves) for field, leaves in zip(fields, found.values(), strict=True)},
        _origins(walk.rows),
    )


def _origins(leaves: Iterable[str]) -> tuple[Origin, ...]:
    return tuple(Origin(*leaf.split(_MARK, 1)) for leaf in sorted(leaves))


@dataclass
class _Node:
    """A node of a plan: ``kind`` is the class of Catalyst."""

    kind: str
    values: Mapping[str, Any]
    children: list["_Node"]


def _tree(nodes: Sequence[Mapping[str, Any]]) -> _Node:
    """The tree that Catalyst's JSON lists in preorder."""
    waiting = iter(nodes)

    def take() -> _Node:
        values = next(waiting)
        children = [take() for _ in range(int(values["num-children"]))]
        return _Node(str(values["class"]).rpartition(".")[2], values, children)

    return take()


@dataclass
class _Walk:
    """Follows a plan from its leaves up; ``rows`` collects what decides which rows there are."""

    rows: set[str] = field(default_factory=set)
    common: dict[int, list[frozenset[str]]] = field(default_factory=dict)

    def columns(self, node: _Node) -> _Columns:
        """The leaves of each column of ``node``."""
        if node.kind == "WithCTE":
            for definition in node.children[:-1]:
                self.common[definition.values["id"]] = list(self.columns(definition.children[0]).values())
            return self.columns(node.children[-1])
        below = [self.columns(child) for child in node.children]
        known: _Columns = {identifier: leaves for columns in below for identifier, leaves in columns.items()}
        values = node.values
        match node.kind:
            case "Project":
                return self._named(values["projectList"], known)
            case "Aggregate":
                self.rows |= self._leaves(values["groupingExpressions"], known)
                return self._named(values["aggregateExpressions"], known)
            case "Window":
                return known | self._named(values["windowExpressions"], known)
            case "Generate":
                made = self._leaves(values["generator"], known)
                return known | dict.fromkeys(_ids(values["generatorOutput"]), made)
            case "Expand":
                choices = map(list, zip(*values["projections"], strict=True))
                return dict(zip(_ids(values["output"]), (self._leaves(c, known) for c in choices), strict=True))
            case "Union":
                matching = zip(*(columns.values() for columns in below), strict=True)
                return dict(zip(below[0], (_NOTHING.union(*leaves) for leaves in matching), strict=True))
            case "Join" | "Filter":
                self.rows |= self._leaves(values.get("condition"), known)
                left_only = str(values.get("joinType")).rstrip("'}").endswith(_LEFT_ONLY)
                return below[0] if left_only else known
            case "Intersect" | "Except":
                return below[0]
            case "CTERelationRef":
                return dict(zip(_ids(values["output"]), self.common.get(values["cteId"], []), strict=False))
        if "output" in values:
            return _own(values["output"], known)
        return known

    def _named(self, expressions: Sequence[Any], known: _Columns) -> _Columns:
        """Columns that are given names, each by an expression whose first node is the alias or the column itself."""
        return {_id(expression[0]): self._leaves(expression, known) for expression in expressions}

    def _leaves(self, value: Any, known: _Columns) -> frozenset[str]:
        """The leaves of all columns that an expression, or several, refer to; of subqueries what they select."""
        found: set[str] = set()
        for node in _nodes(value):
            if str(node["class"]).endswith(".AttributeReference"):
                found |= known.get(_id(node), _NOTHING)
            elif isinstance(node.get("plan"), list):
                found |= _NOTHING.union(*self.columns(_tree(node["plan"])).values())
        return frozenset(found)


def _own(output: Any, known: _Columns) -> _Columns:
    """A leaf's columns, or those of a node that nobody can look into, such as a function of Python over whole rows."""
    everything = _NOTHING.union(*known.values())
    names = {_id(node): str(node["name"]) for node in _nodes(output)}
    return {identifier: frozenset({name}) if _MARK in name else everything for identifier, name in names.items()}


def _nodes(value: Any) -> Iterator[Mapping[str, Any]]:
    """The nodes of an expression, or of several, without those of the plans of subqueries."""
    if isinstance(value, dict):
        if "class" in value:
            yield value
        for name, inner in value.items():
            if name != "plan":
                yield from _nodes(inner)
    elif isinstance(value, list):
        for item in value:
            yield from _nodes(item)


def _ids(output: Any) -> list[int]:
    return [_id(node) for node in _nodes(output)]


def _id(node: Mapping[str, Any]) -> int:
    return int(node["exprId"]["id"])
