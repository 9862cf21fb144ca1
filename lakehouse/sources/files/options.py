"""What a registry file may say of how files are written."""

from enum import StrEnum
from typing import ClassVar

from pydantic import Field

from lakehouse.errors import SourceError
from lakehouse.sources.files.store import suffixes
from lakehouse.sources.options import SourceOptions


class Format(StrEnum):
    """How rows are written in a file."""

    JSONL = "jsonl"
    CSV = "csv"
    AVRO = "avro"
    PARQUET = "parquet"


_BY_SUFFIX = {
    ".jsonl": Format.JSONL,
    ".ndjson": Format.JSONL,
    ".json": Format.JSONL,
    ".csv": Format.CSV,
    ".tsv": Format.CSV,
    ".avro": Format.AVRO,
    ".parquet": Format.PARQUET,
}


class Options(SourceOptions):
    """See :class:`lakehouse.registry.tables.Origin`.

    Attributes:
        format: see :class:`Format`; as the files' names end when absent.
        delimiter: between the cells of a CSV file; a tab in files that end with ``.tsv``.
        quote: around cells of a CSV file.
        header: whether the first line of a CSV file names the columns; else they are those of the registry, in order.
        null: the text of a cell of a CSV file that stands for NULL.
    """

    knows: ClassVar[str] = "Files know"

    format: Format | None = None
    delimiter: str | None = Field(default=None, min_length=1, max_length=1)
    quote: str = Field(default='"', min_length=1, max_length=1)
    header: bool = True
    null: str = ""

    def format_of(self, name: str, doing: str) -> Format:
        """The format of a file.

        Raises:
            SourceError: neither the options nor its name say it.
        """
        found = self.format or _BY_SUFFIX.get(suffixes(name)[0])
        if found is None:
            raise SourceError(
                f"{doing}: the name of {name} does not say its format; expected an end like {', '.join(_BY_SUFFIX)}, maybe "
                "with .gz or .zst behind it.",
                remedy=f"Say it: `source: {{…, options: {{format: {Format.JSONL}}}}}`, or one of {', '.join(Format)}.",
            )
        return found

    def delimiter_of(self, name: str) -> str:
        """What stands between the cells of a file."""
        return self.delimiter or ("\t" if suffixes(name)[0] == ".tsv" else ",")
