"""Transformers that are one ``.sql`` file of Spark SQL; what they read is found by parsing it.

The file's name is the table's. Comments at its head may set what the decorator of a Python transformer sets::

    -- description: What users spent, by day.
    -- grain: day
    -- rebuild_by: day
    -- narrows: silver.user_purchases(to_date(purchase_time))
    -- column money: Σ amount
    SELECT to_date(purchase_time) AS day, sum(amount) AS money FROM silver.user_purchases GROUP BY 1
"""

import re
from collections.abc import Callable
from pathlib import Path

import sqlglot
from pyspark.sql import DataFrame, SparkSession
from sqlglot import exp
from sqlglot.errors import ParseError

from lakehouse.errors import ConfigurationError
from lakehouse.paths import Layer, TableName, check_identifier
from lakehouse.registry.transformers import Transformer

_HEAD = re.compile(r"--\s*(grain|partition_by|rebuild_by|narrows|description)\s*:\s*(.*)")
_COLUMN = re.compile(r"--\s*column\s+(\w+)\s*:\s*(.*)")
_NARROWED = re.compile(r"(\w+)\.(\w+)\((.+)\)")
_TEXT = re.compile("'[^']*'")
_READABLE = (Layer.SILVER, Layer.GOLD)


def load(path: Path) -> Transformer:
    """The transformer in the file at ``path``.

    Raises:
        ConfigurationError: the file is not one SELECT, or reads what is not a table of silver or gold.
    """
    text = path.read_text(encoding="utf-8")
    table = check_identifier(path.stem, str(path))
    query = _parse(text, path)
    common = {cte.alias_or_name for cte in query.find_all(exp.CTE)}
    reads: dict[str, TableName] = {}
    for node in query.find_all(exp.Table):
        if not node.db and node.name in common:
            continue
        if node.db not in {layer.value for layer in _READABLE} or node.catalog:
            raise ConfigurationError(
                f"{path}: it reads {node.sql(dialect='spark')!r}; expected a table of silver or gold, "
                "written `silver.<table>` or `gold.<table>`, or a common table expression of its own."
            )
        name = f"{node.db}__{node.name}"
        reads[name] = TableName(Layer(node.db), node.name)
        alias = node.alias_or_name
        node.replace(exp.alias_(exp.table_(name), alias, table=True))
    head = {match[1]: match[2] for match in map(_HEAD.match, text.splitlines()) if match}
    parameters = tuple(sorted({str(node.this) for node in query.find_all(exp.Placeholder) if node.this}))
    columns = {match[1]: match[2] for match in map(_COLUMN.match, text.splitlines()) if match}
    return Transformer(
        table=table,
        function=_function(query.sql(dialect="spark"), tuple(reads), parameters),
        reads=reads,
        grain=_split(head.get("grain", "")),
        partition_by=_split(head.get("partition_by", "")),
        rebuild_by=_split(head.get("rebuild_by", "")),
        narrows=_narrows(head.get("narrows", ""), path),
        columns=columns,
        description=head.get("description", ""),
        parameters=parameters,
    ).checked(str(path))


def _parse(text: str, path: Path) -> exp.Query:
    try:
        statements = [statement for statement in sqlglot.parse(text, dialect="spark") if statement is not None]
    except ParseError as error:
        first = error.errors[0]
        raise ConfigurationError(
            f"{path}:{first.get('line', 1)}: not valid Spark SQL: {first.get('description')} near "
            f"{first.get('highlight')!r}."
        ) from error
    if len(statements) != 1 or not isinstance(statements[0], exp.Query):
        raise ConfigurationError(f"{path}: found {len(statements)} statement(s); expected exactly one SELECT.")
    return statements[0]


def _narrows(text: str, path: Path) -> dict[str, tuple[str, ...]]:
    """``layer.table(expression, …), …`` by the name of the argument that stands for the table."""
    found: dict[str, tuple[str, ...]] = {}
    for item in _split(text):
        match, code = _NARROWED.fullmatch(item), _TEXT.sub("", item)
        if match is None or code.count("(") != code.count(")"):
            raise ConfigurationError(
                f"{path}: narrows is {text!r}; expected `layer.table(expression)`, several of them separated by commas."
            )
        found[f"{match[1]}__{match[2]}"] = _split(match[3])
    return found


def _split(text: str) -> tuple[str, ...]:
    """What commas separate in ``text``, but for those in parentheses or in a text of SQL."""
    parts, depth, quoted = [""], 0, False
    for character in text:
        quoted ^= character == "'"
        depth += 0 if quoted else (character == "(") - (character == ")")
        if character == "," and not depth and not quoted:
            parts.append("")
        else:
            parts[-1] += character
    return tuple(part.strip() for part in parts if part.strip())


def _function(sql: str, inputs: tuple[str, ...], parameters: tuple[str, ...]) -> Callable[..., DataFrame]:
    def run(**arguments: DataFrame | str) -> DataFrame:
        frames = {name: frame for name in inputs if isinstance(frame := arguments[name], DataFrame)}
        session = next(iter(frames.values())).sparkSession if frames else SparkSession.active()
        for name, frame in frames.items():
            frame.createOrReplaceTempView(name)
        return session.sql(sql, args={name: arguments[name] for name in parameters})

    return run
