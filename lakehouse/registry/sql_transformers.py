"""Transformers that are one ``.sql`` file of Spark SQL; what they read is found by parsing it.

The file's name is the table's. The comments with which it begins, from its first line on, are YAML, and say what the
decorator of a Python transformer says (:class:`Declaration`). Later comments are only comments::

    -- description: Coupons by the day (UTC) on which they were made.
    -- grain: [day]
    -- rebuild_by: [day]
    -- narrows:
    --   silver.coupons: to_date(created_at)
    -- columns:
    --   day: The day.
    --   coupons: Coupons made that day.
    SELECT to_date(created_at) AS day, count(*) AS coupons FROM silver.coupons GROUP BY 1
"""

from collections.abc import Callable
from itertools import takewhile
from pathlib import Path
from typing import Any

import sqlglot
from pyspark.sql import DataFrame, SparkSession
from ruamel.yaml import YAML
from sqlglot import exp
from sqlglot.errors import ParseError

from lakehouse import yaml_file
from lakehouse.errors import ConfigurationError
from lakehouse.paths import TableName
from lakehouse.registry.declaration import READABLE, Declaration
from lakehouse.registry.transformers import Transformer

#: What a file of SQL says by its name and its query.
_TOLD_BY_THE_FILE = {"table": "is the file's name", "reads": "is found in the query", "touched": "goes with Python"}


def load(path: Path) -> Transformer:
    """The transformer in the file at ``path``.

    Raises:
        ConfigurationError: the head says what may not be said, or the file is not one SELECT, or it reads what is not
            a table of silver or gold.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"{path}: {error}; expected a text in UTF-8.") from error
    query = _parse(text, path)
    reads = _named_by_argument(query, path)
    declaration = _declaration(text, path, reads)
    parameters = tuple(sorted({str(node.this) for node in query.find_all(exp.Placeholder) if node.this}))
    return Transformer.of(
        declaration,
        _function(query.sql(dialect="spark"), tuple(map(_argument, reads)), parameters),
        parameters,
        {dotted: _argument(dotted) for dotted in reads},
    )


def _declaration(text: str, path: Path, reads: list[str]) -> Declaration:
    comments = takewhile(lambda line: line.startswith("--"), text.splitlines())
    head = "\n".join(line[2:].removeprefix(" ") for line in comments)
    try:
        content = yaml_file.parse(head, path)
    except ConfigurationError as error:
        raise ConfigurationError(
            str(error),
            remedy="The comments that begin a file of SQL are YAML, such as `-- grain: [day]`; other ones go below them.",
        ) from error
    lines: Any = YAML(typ="rt").load(head) if content.keys() & _TOLD_BY_THE_FILE else None
    for key in content.keys() & _TOLD_BY_THE_FILE:
        line = yaml_file.line_of(lines, [key])
        raise ConfigurationError(f"{path}:{line}: key {key!r} {_TOLD_BY_THE_FILE[key]}, and is not said in the head.")
    said = {**content, "table": path.stem, "reads": {dotted: dotted for dotted in reads}}
    return yaml_file.validate(Declaration, said, path, head)


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


def _named_by_argument(query: exp.Query, path: Path) -> list[str]:
    """The tables that ``query`` reads, as ``layer.table``; in it each is renamed to the view that stands for it."""
    common = {cte.alias_or_name for cte in query.find_all(exp.CTE)}
    reads: list[str] = []
    for node in query.find_all(exp.Table):
        if not node.db and node.name in common:
            continue
        if node.db not in {layer.value for layer in READABLE} or node.catalog:
            raise ConfigurationError(
                f"{path}: it reads {node.sql(dialect='spark')!r}; expected a table of silver or gold, "
                "written `silver.<table>` or `gold.<table>`, or a common table expression of its own."
            )
        dotted = TableName.parse(f"{node.db}.{node.name}").dotted
        reads.append(dotted)
        node.replace(exp.alias_(exp.table_(_argument(dotted)), node.alias_or_name, table=True))
    return list(dict.fromkeys(reads))


def _argument(dotted: str) -> str:
    return dotted.replace(".", "__")


def _function(sql: str, inputs: tuple[str, ...], parameters: tuple[str, ...]) -> Callable[..., DataFrame]:
    def run(**arguments: DataFrame | str) -> DataFrame:
        frames = {name: frame for name in inputs if isinstance(frame := arguments[name], DataFrame)}
        session = next(iter(frames.values())).sparkSession if frames else SparkSession.active()
        for name, frame in frames.items():
            frame.createOrReplaceTempView(name)
        return session.sql(sql, args={name: arguments[name] for name in parameters})

    return run
