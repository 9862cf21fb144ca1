"""What a registry file may say of how a relation of an API is asked for, page by page."""

from collections.abc import Mapping
from enum import StrEnum
from typing import ClassVar, Literal, Self

from pydantic import Field

from lakehouse.errors import SourceError
from lakehouse.sources.options import SourceOptions
from lakehouse.sources.records import Path


class Paging(StrEnum):
    """How the next page is asked for: there is none; by its number; by how many records come before it; by a text that the
    page before says; by a link that it says, in its body or in its header (RFC 8288)."""

    NONE = "none"
    PAGE = "page"
    OFFSET = "offset"
    CURSOR = "cursor"
    LINK = "link"


#: The parameter that bears the place of a page, where the registry names no other.
_PARAMETERS = {Paging.PAGE: "page", Paging.OFFSET: "offset", Paging.CURSOR: "cursor"}


class Options(SourceOptions):
    """See :class:`lakehouse.registry.tables.Origin`. Paths lead into the JSON of a page: ``meta.next``.

    Attributes:
        records: the path of the list of records; absent: the page is that list.
        paging: see :class:`Paging`.
        parameter: the one that says which page is wanted: ``page``, ``offset`` or ``cursor`` where absent.
        first: the number of the first page.
        next: the path of what the next page is asked by; of links, absent: the header ``Link``.
        total: the path of how many records there are; where fewer came, the pages moved while they were read.
        size: how many records a page shall have; absent: the API's own number.
        size_parameter: the one that says so.
        since: the parameter by which the API is asked for what changed from some moment on; absent: all is asked for, and
            what the load wants is chosen of it.
        since_format: how that moment is written.
        cursor_type: what the cursor holds: moments (ISO 8601, or seconds or milliseconds since 1970), days, or whole numbers.
            Absent: what the first page's look like.
        sparse: fields that records may lack, divided by commas. Any other that none of some records has stops the table.
    """

    knows: ClassVar[str] = "An API knows"

    records: str | None = None
    paging: Paging = Paging.NONE
    parameter: str | None = None
    first: int = Field(default=1, ge=0)
    next: str | None = None
    total: str | None = None
    size: int | None = Field(default=None, ge=1)
    size_parameter: str = "limit"
    since: str | None = None
    since_format: Literal["iso8601", "date", "epoch_s", "epoch_ms"] = "iso8601"
    cursor_type: Literal["timestamp", "date", "bigint"] | None = None
    sparse: str = ""

    @classmethod
    def said(cls, options: Mapping[str, str], doing: str) -> Self:
        """What ``options`` say.

        Raises:
            SourceError: they say what there is not, or pages by a cursor and not where it stands.
        """
        found = super().said(options, doing)
        if found.paging is Paging.CURSOR and found.next is None:
            raise SourceError(
                f"{doing}: option 'paging' is cursor, and option 'next' is not there; expected the path in a page of what the "
                "next one is asked by, such as meta.next_cursor.",
                remedy="Add it to `options` in the registry file.",
            )
        return found

    @property
    def place(self) -> str:
        """The parameter that says which page is wanted."""
        return self.parameter or _PARAMETERS.get(self.paging, "")

    @property
    def may_lack(self) -> set[str]:
        """See :attr:`sparse`."""
        return {name.strip() for name in self.sparse.split(",") if name.strip()}


def path_of(spelled: str | None) -> Path:
    """A path by its parts; of nothing, the whole."""
    return tuple(spelled.split(".")) if spelled else ()
