"""All pages of a relation, one after the other, each record once.

An API says its pages by any of five ways (:class:`lakehouse.sources.rest.options.Paging`), and while they are read records
come, change and go. What is done about that:

- A page of records that all came before is passed over once. A second one in a row, or a place that was asked for already,
  stops the read: it would not end.
- By offset each page begins with the last record of the one before. Where another one stands there, records moved, and one may
  have slipped through between two pages: the read breaks off and is tried again.
- By number a record that comes twice, and not alike, moved, too; and where ``total`` says that there are fewer than before,
  or more than came. A record that goes while another comes is not noticed: nothing in such pages tells it.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from typing import Protocol

from lakehouse.errors import SourceError, SourceUnavailableError
from lakehouse.sources.rest.client import Answer
from lakehouse.sources.rest.likely import paging_of
from lakehouse.sources.rest.options import Options, Paging, path_of
from lakehouse.sources.rest.page import NoPageError, Page

#: So many pages without a record may follow each other, where the API says that there is a next one.
_MOST_EMPTY = 1_000
#: And so many of records that all came before.
_MOST_BARREN = 2
_DIGEST = 8  # bytes


class Asks(Protocol):
    """What asks an API; see :class:`lakehouse.sources.rest.client.Client`."""

    def get(self, path: str, parameters: Mapping[str, str]) -> Answer: ...
    def follow(self, link: str, path: str) -> Answer: ...


@dataclass(frozen=True)
class _Place:
    """Where a page is: by parameters, or by a link, and by the number of the page or of the records before it.

    Attributes:
        overlap: how many records of the page before it begins with.
    """

    parameters: Mapping[str, str]
    link: str | None = None
    number: int = 0
    overlap: int = 0

    @property
    def spelled(self) -> str:
        return self.link or "&".join(f"{name}={value}" for name, value in sorted(self.parameters.items()))


@dataclass
class _Idle:
    """Pages in a row that brought nothing new: without a record, and with some that all came before."""

    empty: int = 0
    barren: int = 0

    def too_long(self, records: Sequence[bytes], new: Sequence[bytes]) -> bool:
        """Whether, with the next page, which has ``records``, of which some are ``new``, pages come on without an end."""
        self.empty = 0 if records else self.empty + 1
        self.barren = 0 if new else self.barren + bool(records)
        return self.empty >= _MOST_EMPTY or self.barren >= _MOST_BARREN


@dataclass
class Pages:
    """The pages of one read.

    Attributes:
        path: of the relation, from the profile's address on.
        parameters: what else is asked, such as from which moment on.
        key_of: what tells a record apart, by its text; ``None`` where nothing does.
        doing: what is read for which table, for messages.
    """

    client: Asks
    path: str
    options: Options
    parameters: Mapping[str, str]
    key_of: Callable[[bytes], str | None]
    doing: str
    _came: set[bytes] = field(default_factory=set, init=False)
    _by_key: dict[str, bytes] = field(default_factory=dict, init=False)
    _asked: set[str] = field(default_factory=set, init=False)
    _count: int = field(default=0, init=False)
    _begins_with: str | bytes | None = field(default=None, init=False)

    def __iter__(self) -> Iterator[list[bytes]]:
        """The records of each page that did not come before.

        Raises:
            SourceUnavailableError: the API is away, or records moved while they were read: trying again may help.
            SourceError: it refused, answers with what is no page, or its pages have no end.
        """
        place: _Place | None = self._first()
        last, total, idle = b"", None, _Idle()
        while place is not None:
            page = self._page(place)
            with self._told():
                records = page.records(path_of(self.options.records))
                total = self._total(page, total) if self.options.total else None
                shown = self._behind(last, records, place) if place.overlap else records
                new = self._new(shown)
                self._count += len(shown) if new else 0  # a page that came twice brings nothing
                self._check_paging(page)
                following = self._following(place, page, len(records), total)
            if following is not None and idle.too_long(records, new):
                raise self._has_no_end(place)
            if records:
                last, self._begins_with = records[-1], self._begins_with or self._identity(records[0])
            yield new
            place = following
        if total is not None and self._count < total:
            raise self._too_few(total)

    def _first(self) -> _Place:
        options, asked = self.options, dict(self.parameters)
        if options.size is not None:
            asked[options.size_parameter] = str(options.size)
        if options.paging is Paging.PAGE:
            return self._numbered(_Place(asked), options.first)
        return self._numbered(_Place(asked), 0) if options.paging is Paging.OFFSET else _Place(asked)

    def _numbered(self, place: _Place, number: int, overlap: int = 0) -> _Place:
        parameters = {**place.parameters, self.options.place: str(number)}
        return replace(place, parameters=parameters, number=number, overlap=overlap)

    def _page(self, place: _Place) -> Page:
        if place.spelled in self._asked:
            raise SourceError(
                f"{self.doing}: {self.path} says of a page that the next one is one that was read before; expected an end.",
                remedy="Check `paging` and `next` under `options` in the registry file, or tell who runs the API.",
            )
        self._asked.add(place.spelled)
        if place.link is None:
            answer = self.client.get(self.path, place.parameters)
        else:
            answer = self.client.follow(place.link, self.path)
        return Page(answer.text, answer.next)

    def _following(self, place: _Place, page: Page, records: int, total: int | None) -> _Place | None:
        """The next page; ``None`` where there is none."""
        options = self.options
        match options.paging:
            case Paging.CURSOR:
                cursor = page.value(path_of(options.next))
                return replace(place, parameters={**place.parameters, options.place: cursor}) if cursor else None
            case Paging.LINK:
                link = page.value(path_of(options.next)) if options.next else page.link
                return replace(place, link=link) if link else None
            case Paging.PAGE:
                return None if not records or self._has_all(total) else self._numbered(place, place.number + 1)
            case Paging.OFFSET:
                overlap = int(records > 1)  # a page of one record would be asked for again and again
                is_end = records <= place.overlap or self._has_all(total)
                return None if is_end else self._numbered(place, place.number + records - overlap, overlap)
            case Paging.NONE:
                return None

    def _behind(self, last: bytes, records: list[bytes], place: _Place) -> list[bytes]:
        """What stands behind ``last``, which the page before ended with and this one begins with."""
        begins_with = self._identity(records[0]) if records else None
        if begins_with != self._identity(last):
            hint = (
                ", the first one of all (does the API know this parameter?)" if begins_with == self._begins_with else ""
            )
            raise self._moved(f"another record stands at {self.options.place}={place.number} than a moment ago{hint}")
        return records[1:]

    def _new(self, records: list[bytes]) -> list[bytes]:
        """Those of ``records`` that did not come before."""
        new = []
        for record in records:
            digest = blake2b(record, digest_size=_DIGEST).digest()
            if digest in self._came:
                continue
            self._came.add(digest)
            key = self.key_of(record)
            is_other = key is not None and self._by_key.setdefault(key, digest) != digest
            if is_other and self.options.paging is Paging.PAGE:
                raise self._moved("a record came twice, and not alike (or the key does not tell records apart)")
            new.append(record)
        return new

    def _identity(self, record: bytes) -> str | bytes:
        return self.key_of(record) or record

    def _check_paging(self, page: Page) -> None:
        """Raise where the registry says nothing of pages, and this one says where the next one is."""
        if "paging" in self.options.model_fields_set:
            return
        if said := paging_of(page):
            wanted = ", ".join(f"{name}: {value}" for name, value in said.items())
            raise SourceError(
                f"{self.doing}: {self.path} answers with a page that says where the next one is, and the registry file says no "
                "`paging`; expected one, since the rest would be missed.",
                remedy=f"Write `{wanted}` under `options`; or `paging: none`, if this page is all.",
            )

    def _has_all(self, total: int | None) -> bool:
        return total is not None and self._count >= total

    def _has_no_end(self, place: _Place) -> SourceError:
        return SourceError(
            f"{self.doing}: {self.path} answers again and again with records that came before, the last time for "
            f"{place.spelled or 'the first page'}; expected others on each page.",
            remedy="Check `paging`, `parameter` and `next` under `options` in the registry file: the API may not know them.",
        )

    def _total(self, page: Page, before: int | None) -> int:
        """How many records there are, which the page before said of ``before``."""
        said = page.value(path_of(self.options.total))
        if said is None or not said.isdecimal():
            raise SourceError(
                f"{self.doing}: {self.path} says no number at {self.options.total}; expected how many records there are.",
                remedy="Correct `total` under `options` in the registry file, or remove it.",
            )
        if before is not None and int(said) < before and self.options.paging is Paging.PAGE:
            raise self._moved(f"it says that there are {int(said):,} records, where there were {before:,}")
        return int(said)

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except NoPageError as error:
            raise SourceError(
                f"{self.doing}: {self.path} answers with what is no page: {error}.",
                remedy="Correct `records` under `options` in the registry file, or `relation`.",
            ) from None

    def _too_few(self, total: int) -> SourceError:
        came = f"it says that there are {total:,} records, and {self._count:,} came"
        if self.options.paging is not Paging.NONE:
            return self._moved(came)
        return SourceError(
            f"{self.doing}: {self.path}: {came}; expected all of them on one page, since the registry file says no `paging`.",
            remedy="Say under `options` how the next page is asked for: `paging`, and what goes with it.",
        )

    def _moved(self, why: str) -> SourceUnavailableError:
        return SourceUnavailableError(
            f"{self.doing}: the pages of {self.path} moved while they were read: {why}. One may have slipped through between "
            "two pages; nothing was loaded.",
            remedy="Run again; where it happens often, page by a cursor if the API can, or ask for more at once (`size`).",
        )
