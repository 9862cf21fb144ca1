"""Files during a run."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime

import pyarrow as pa

from lakehouse.errors import SourceError, one_line, suggest
from lakehouse.paths import ARRIVAL_COLUMNS, LINE, ORDER, ORIGIN, VERSION, column_names
from lakehouse.sources.files import csv_lines, parquet
from lakehouse.sources.files.options import Format, Options
from lakehouse.sources.files.part import Reading, first_records
from lakehouse.sources.files.reader import FilesReader
from lakehouse.sources.files.settings import Settings
from lakehouse.sources.files.store import Listed, Store
from lakehouse.sources.likely import text_columns
from lakehouse.sources.opening import Followed
from lakehouse.sources.reader import Horizon, Wanted
from lakehouse.sources.records import OTHERS, OTHERS_COLUMN
from lakehouse.sources.relation import SourceColumn, SourceRelation

#: The columns that say where a row came from, and their types.
_ARRIVAL = (
    SourceColumn(ORIGIN, ORIGIN, "file name", "string", nullable=False),
    SourceColumn(LINE, LINE, "line number", "bigint", nullable=False),
    SourceColumn(VERSION, VERSION, "size and time of the file", "string", nullable=False),
    SourceColumn(ORDER, ORDER, "number of arrival", "bigint", nullable=False),
)
_KEY = (ORIGIN, LINE)
#: So many records say what files are like.
_SAMPLE = 2_000


@contextmanager
def opened(name: str, source: Settings, followed: Collection[Followed]) -> Iterator["FilesSession"]:
    """Source ``name``: there is no connection to be opened."""
    del name, followed
    yield FilesSession(source)


class FilesSession:
    """See :class:`lakehouse.sources.reader.Session`. Which files there are is asked once for a relation; one that is written
    while it is read is found out."""

    one_moment = True
    reads_in_threads = False

    def __init__(self, source: Settings) -> None:
        self._source, self._store = source, Store(source)
        self.taken_at = datetime.now(UTC)
        self.horizon = Horizon(self.taken_at, self.taken_at, has_transactions=False)
        self.parallelism = source.parallelism

    def relations(self, schema: str | None = None) -> list[str]:
        """A pattern for each folder and ending of files, below the folder ``schema``."""
        files = self._store.listed(f"{schema.strip('/')}/**/*" if schema else "**/*")
        found = set()
        for file in files:
            folder, _, bare = file.name.rpartition("/")
            ending = bare[bare.index(".") :] if "." in bare else ""
            found.add(f"{folder}/*{ending}".lstrip("/"))
        return sorted(found)

    def describe(self, relation: str) -> SourceRelation:
        """What the files are like: by the schema of the newest one, or by some of its records."""
        wanted = Wanted(relation, doing=f"describing {relation}")
        listed = self._store.listed(relation)
        columns, said = self._typed(wanted, Options(), listed), dict[str, str]()
        if columns is None:
            said = self._likely_options(listed[-1], wanted.doing)
            records = first_records(self._store, listed[-1], Options.said(said, wanted.doing), _SAMPLE, wanted.doing)
            columns = [*text_columns(records, (*ARRIVAL_COLUMNS, OTHERS)), OTHERS_COLUMN]
        return SourceRelation(relation, (*columns, *_ARRIVAL), _KEY, said)

    def _likely_options(self, file: Listed, doing: str) -> dict[str, str]:
        """The delimiter of a CSV file, where it is not what its name says."""
        if Options().format_of(file.name, doing) is not Format.CSV:
            return {}
        with self._store.stream(file, doing) as stream:
            delimiter = csv_lines.likely_delimiter(stream)
        return {} if delimiter == Options().delimiter_of(file.name) else {"delimiter": delimiter}

    @contextmanager
    def reader(self, wanted: Wanted) -> Iterator[FilesReader]:
        options = Options.said(wanted.options, wanted.doing)
        listed = self._store.listed(wanted.relation)
        declared = [name for name in wanted.columns if name not in (*ARRIVAL_COLUMNS, OTHERS)]
        columns = self._typed(wanted, options, listed)
        if columns is None:
            columns = [SourceColumn(name, wanted.names.get(name, name), "text", "string") for name in declared]
            if not columns:
                raise wanted.without_columns("files of text", "`lakehouse new` writes a first list from the files.")
            columns.append(OTHERS_COLUMN)
        relation = SourceRelation(wanted.relation, (*columns, *_ARRIVAL), _KEY)
        names = {column.name: column.source_name for column in columns if column is not OTHERS_COLUMN}
        reading = Reading(options, names, {column.name: column.lake_type for column in columns})
        yield FilesReader(relation, reading, self._source, listed, dict(wanted.options), wanted.doing)

    def _typed(self, wanted: Wanted, options: Options, listed: Sequence[Listed]) -> list[SourceColumn] | None:
        """The columns of the newest file, where files say them with their types; ``None`` of texts.

        Raises:
            SourceError: there is no file yet to say them, or the newest one cannot be read.
        """
        newest = listed[-1] if listed else None
        if newest is None and options.format is not Format.PARQUET and wanted.columns:
            return None
        if newest is None:
            raise SourceError(
                f"{wanted.doing}: no file fits {wanted.relation!r} in {self._store.where}, so that its columns are not known. "
                f"{suggest(wanted.relation, self.relations())}",
                remedy="Correct `relation` in the registry file, or wait for the first file.",
            )
        if options.format_of(newest.name, wanted.doing) is not Format.PARQUET:
            return None
        try:
            with self._store.opened(newest, wanted.doing) as stream:
                schema = parquet.schema_of(stream)
        except pa.ArrowInvalid as error:
            raise SourceError(
                f"{wanted.doing}: {newest.name}, the newest file, is no Parquet: {one_line(error, 200)}",
                remedy="Remove it, or have it written anew.",
            ) from None
        return _columns(schema, wanted.names)


def _columns(schema: Mapping[str, tuple[str, str]], names: Mapping[str, str]) -> list[SourceColumn]:
    by_rule = dict(zip(schema, column_names([*ARRIVAL_COLUMNS, *schema])[len(ARRIVAL_COLUMNS) :], strict=True))
    return [SourceColumn(name, names.get(name, by_rule[name]), *schema[name]) for name in schema]
