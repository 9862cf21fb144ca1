"""What a registry file says of one source table: the contract for its raw and its silver table."""

import re
from collections.abc import Iterable
from datetime import timedelta
from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, ConfigDict, Field, field_validator, model_validator

from lakehouse.model import Strict
from lakehouse.paths import ARRIVAL_COLUMNS, ENGINE_COLUMNS, ORDER, column_name
from lakehouse.registry.fields import VALID_PARTITIONING, Duration, TableText, identifier

#: What `formats` knows besides patterns: ISO 8601, and numbers since 1970: from which on, below which, and their microseconds.
ISO = "iso8601"
EPOCHS = {"epoch_s": (0, 10**11, 10**6), "epoch_ms": (10**11, 10**14, 10**3)}
_TYPE = re.compile(r"boolean|int|bigint|float|double|string|binary|date|timestamp|decimal\((\d+),\s*(\d+)\)")


def _lake_column(name: str) -> str:
    if column_name(name) != name:
        raise ValueError(f"the lake calls this column {column_name(name)!r}; expected that name")
    return name


LakeColumn = Annotated[str, AfterValidator(_lake_column)]


class Load(StrEnum):
    """How raw follows its source: all of it each time, what came since the watermark, or which files (or whatever rows arrive
    in) came since those that were read."""

    FULL = "full"
    INCREMENTAL = "incremental"
    ARRIVALS = "arrivals"


class OnFailure(StrEnum):
    """What happens when a row breaks a check: the row is quarantined, a warning is counted, the table stops."""

    REJECT = "reject"
    WARN = "warn"
    FAIL = "fail"


class Pii(StrEnum):
    """What becomes of a column that may hold personal data on its way to silver.

    ``exclude`` never leaves the source; ``drop`` ends in raw; ``redact`` keeps only whether there was a value;
    ``mask`` keeps the last four letters or digits; ``year`` keeps a date's year; ``truncate_ip`` keeps the network of
    an address (/24, /48); ``pseudonymise`` is a keyed HMAC-SHA-256; ``none`` says that there is no personal data.
    """

    NONE = "none"
    EXCLUDE = "exclude"
    DROP = "drop"
    REDACT = "redact"
    MASK = "mask"
    YEAR = "year"
    TRUNCATE_IP = "truncate_ip"
    PSEUDONYMISE = "pseudonymise"


#: Policies that keep different values apart, so that a key can bear them.
KEEPS_APART = {None, Pii.NONE, Pii.PSEUDONYMISE}


class SchemaPolicy(StrEnum):
    """What a new column or a wider type at the source does: it flows through, or it stops the table."""

    EVOLVE = "evolve"
    FREEZE = "freeze"


def _option(said: object) -> object:
    if isinstance(said, bool):
        return str(said).lower()
    if isinstance(said, list):
        return ",".join(map(str, said))
    return str(said) if isinstance(said, int | float) else said


class Origin(Strict):
    """Where a table comes from: a source of the profile and a relation there.

    Attributes:
        relation: ``schema.table`` in PostgreSQL, a pattern of files in a folder (``coupons/*/*.jsonl``). Parts of a name are
            divided by dots; one that holds a dot or a quote is written in double quotes.
        options: what else this kind of source wants to know (``format``, ``delimiter``); see its row in the README.
    """

    connection: str
    relation: str
    options: dict[str, str] = Field(default_factory=dict)

    @field_validator("options", mode="before")
    @classmethod
    def _as_texts(cls, value: object) -> object:
        """Numbers, booleans and lists as people write them; and ``null``, which YAML takes for nothing, as a name."""
        if not isinstance(value, dict):
            return value
        return {"null" if name is None else name: _option(said) for name, said in value.items()}

    @field_validator("relation")
    @classmethod
    def _has_a_name(cls, value: str) -> str:
        if not value.strip():
            raise ValueError("the name of a relation is expected")
        return value


class Column(Strict):
    """The contract of one column.

    Attributes:
        type: a Spark SQL type; the source's own when absent. What does not fit it rejects the row.
        source: the column's name at the source, where it is not this one.
        formats: tried in order where the source holds dates as text: patterns (Spark datetime patterns), ``iso8601``, and
            ``epoch_s`` and ``epoch_ms``, numbers of seconds below 10^11 and of milliseconds from there on. A moment without
            a zone is UTC.
        nullable: false rejects a row that has no value here.
        trim: white space at both ends is removed before anything else is looked at.
        pii: see :class:`Pii`.
        dropped: the source no longer has the column; the lake keeps what it holds, and later rows have NULL.
    """

    type: str | None = None
    source: str | None = None
    formats: tuple[str, ...] = ()
    nullable: bool = True
    trim: bool = False
    pii: Pii | None = None
    dropped: bool = False
    description: str = ""

    @field_validator("type")
    @classmethod
    def _known_type(cls, value: str | None) -> str | None:
        if value is None:
            return None
        if value.startswith("decimal(") and not value.endswith(")"):
            raise ValueError("inside braces a comma begins the next entry: write the type in quotes")
        match = _TYPE.fullmatch(value)
        if not match:
            raise ValueError(
                "expected one of boolean, int, bigint, float, double, decimal(p,s), string, binary, date, timestamp"
            )
        if match[1] and not 0 <= int(match[2]) <= int(match[1]) <= 38:
            raise ValueError("expected decimal(p,s) with 0 <= s <= p <= 38")
        return value.replace(" ", "")

    @model_validator(mode="after")
    def _formats_need_a_date(self) -> Self:
        if self.formats and self.type not in {"date", "timestamp"}:
            raise ValueError("`formats` goes with `type: timestamp` or `type: date`")
        return self


class Check(Strict):
    """A rule for the rows of a table, as a Spark SQL condition that a good row satisfies (NULL counts as satisfied).

    Attributes:
        name: the name that a rejected row bears in quarantine.
        expect: the condition, over the columns of silver before pseudonymisation.
        on_failure: see :class:`OnFailure`.
    """

    name: Annotated[str, identifier("a check")]
    expect: str
    on_failure: OnFailure = OnFailure.REJECT
    description: str = ""


class Deletes(Strict):
    """How rows that vanish at the source are seen: by comparing keys, at most once in ``every``.

    Attributes:
        detect: ``keys`` or ``never``. A full load sees them without comparing. Of what arrives, ``keys`` lets rows leave
            with the file that they came in; ``never`` is the default there.
        every: the least time between two comparisons; absent: each run.
        max_share: the share of the lake's keys, in [0, 1], that may vanish at once before the table stops and asks.
    """

    detect: Literal["keys", "never"] = "keys"
    every: Duration | None = None
    max_share: float = Field(default=0.2, ge=0, le=1)


class SourceTable(Strict):
    """One file of the registry: a table of raw and silver, and how it comes from its source.

    Attributes:
        table: the name in the lake; the file's name when absent.
        load: full by default, incremental when there is a cursor.
        cursor: the column that grows with each change (or with each new row), in the lake's spelling; of rows that arrive
            the number by which they did.
        key: the columns that identify a row; the source's primary key when absent.
        overlap: how far behind the watermark an incremental load looks again, beyond what the source's open
            transactions ask for.
        timezone: the zone of the source's timestamps without one; the source's setting when absent.
        holds_pii: then each column needs a policy.
        schema_policy: see :class:`SchemaPolicy`; the file calls it ``schema``.
        columns: by the lake's names (:func:`lakehouse.paths.column_name`).
        history: whether each version of a row is kept beside the current one, valid from its cursor on.
    """

    model_config = ConfigDict(populate_by_name=True)  # and what Strict says

    table: TableText
    domain: str
    source: Origin
    load: Load = Load.FULL
    cursor: str | None = None
    key: tuple[str, ...] = ()
    overlap: Duration = timedelta(0)
    timezone: str | None = None
    deletes: Deletes = Deletes()
    holds_pii: bool = False
    schema_policy: SchemaPolicy = Field(default=SchemaPolicy.EVOLVE, alias="schema")
    history: bool = False
    columns: dict[LakeColumn, Column] = Field(default_factory=dict)
    checks: tuple[Check, ...] = ()
    partition_by: Annotated[tuple[str, ...], VALID_PARTITIONING] = ()
    sort_by: tuple[str, ...] = ()
    description: str = ""

    @model_validator(mode="before")
    @classmethod
    def _what_follows(cls, data: object) -> object:
        """A cursor makes an incremental load; what arrives is ordered by its number, and does not leave with its file."""
        if not isinstance(data, dict):
            return data
        if data.get("cursor") and "load" not in data:
            return {**data, "load": Load.INCREMENTAL}
        if data.get("load") == Load.ARRIVALS:
            deletes = data.get("deletes")
            stays = {"detect": "never"} | deletes if isinstance(deletes, dict) else deletes or {"detect": "never"}
            return {"cursor": ORDER, **data, "deletes": stays}
        return data

    @field_validator("columns", mode="before")
    @classmethod
    def _short_columns(cls, value: object) -> object:
        """``name: type`` is short for ``name: {type: type}``, and an empty value for no wish at all."""
        if not isinstance(value, dict):
            return value
        return {
            name: {} if column is None else {"type": column} if isinstance(column, str) else column
            for name, column in value.items()
        }

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.load is Load.INCREMENTAL and not self.cursor:
            raise ValueError("an incremental load needs a `cursor`: the column that grows with each change")
        if self.load is Load.ARRIVALS:
            self._consistent_with_arrivals()
        if self.load is Load.FULL and self.cursor:
            raise ValueError("`cursor` goes with `load: incremental`; remove one of the two")
        for name in self.columns:
            if name in ENGINE_COLUMNS:
                raise ValueError(f"column {name!r}: the engine keeps this name for itself")
        excluded = {name for name, column in self.columns.items() if column.pii is Pii.EXCLUDE}
        for needed in (self.cursor, *self.key):
            if needed in excluded:
                raise ValueError(f"column {needed!r} is excluded, but the cursor or the key needs it")
        for name in self.key:
            if name in self.columns and self.columns[name].pii not in KEEPS_APART:
                raise ValueError(
                    f"column {name!r} is of the key, and `pii: {self.columns[name].pii}` would make different keys "
                    "alike; expected none or pseudonymise"
                )
        if self.history and self.cursor in {None, ORDER}:
            raise ValueError("`history` needs a `cursor`: the time from which a version of a row is valid")
        if self.holds_pii and (open_columns := [name for name, column in self.columns.items() if column.pii is None]):
            raise ValueError(
                f"the table holds personal data, and these columns have no `pii` policy: "
                f"{', '.join(open_columns)}; expected one of {', '.join(Pii)}"
            )
        return self

    def _consistent_with_arrivals(self) -> None:
        if self.cursor != ORDER:
            raise ValueError("`cursor` goes with `load: incremental`; what arrives is read by what was read before")
        if self.overlap:
            raise ValueError("`overlap` goes with a `cursor`; what arrives is not looked for behind a watermark")
        for name in ARRIVAL_COLUMNS:
            rule = self.columns.get(name, Column())
            if rule.pii not in KEEPS_APART or rule.dropped or rule.type or rule.source:
                raise ValueError(
                    f"column {name!r} says where a row came from: expected no more than a description of it"
                )

    @property
    def follows(self) -> str | None:
        """The cursor by which an incremental load reads; ``None`` where there is no such load."""
        return self.cursor if self.load is Load.INCREMENTAL else None

    def without_policy(self, names: Iterable[str]) -> list[str]:
        """Those of the columns ``names`` that need a policy for personal data and have none."""
        said = {*self.columns, *(ARRIVAL_COLUMNS if self.load is Load.ARRIVALS else ())}
        return [name for name in names if name not in said] if self.holds_pii else []
