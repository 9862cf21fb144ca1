"""Every record of all pages, each once, or an error that says why not. The API is a fake in this process."""

import json
from collections.abc import Mapping
from contextlib import suppress
from itertools import count
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lakehouse.errors import SourceError, SourceUnavailableError
from lakehouse.sources.rest.client import Answer, Client
from lakehouse.sources.rest.options import Options
from lakehouse.sources.rest.page import NoPageError, Page
from lakehouse.sources.rest.pages import Pages
from tests.fake_api import FakeApi, Record, served

#: Options by what the fake knows.
WAYS = {
    "page": {"paging": "page", "records": "data.items"},
    "page, total": {"paging": "page", "records": "data.items", "total": "meta.total"},
    "offset": {"paging": "offset", "records": "data.items"},
    "offset, total": {"paging": "offset", "records": "data.items", "total": "meta.total"},
    "cursor": {"paging": "cursor", "records": "data.items", "next": "meta.next"},
    "link": {"paging": "link", "records": "data.items", "next": "meta.next"},
    "header": {"paging": "link"},
}


def key_of(record: bytes) -> str | None:
    found = json.loads(record)["id"]
    return None if found is None else str(found)


def read(api: FakeApi, way: str, **more: str) -> list[Record]:
    api.paging = way.partition(",")[0]
    client = Client(api.settings(), "ingesting answers")
    options = Options.said({**WAYS[way], **more}, "ingesting answers")
    try:
        pages = Pages(client, "records", options, {}, key_of, "ingesting answers")
        return [json.loads(record) for page in pages for record in page]
    finally:
        client.close()


def records(number: int) -> list[Record]:
    return [{"id": one, "text": f"t{one}"} for one in range(number)]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("number", [0, 1, 3, 4, 5, 8, 9])
def test_each_way_brings_every_record_once_and_ends(api: FakeApi, way: str, number: int) -> None:
    api.records = records(number)
    assert read(api, way) == api.records


def test_a_page_that_is_smaller_than_was_asked_for_is_not_the_last_one(api: FakeApi) -> None:
    api.records, api.size = records(10), 3
    for way in ("page", "offset"):
        assert read(api, way, size="100", size_parameter="per_page") == api.records
        assert {asked["per_page"] for asked in api.asked} == {"100"}


@pytest.mark.parametrize("way", ["page", "offset", "cursor"])
def test_the_parameter_is_called_as_the_registry_says(api: FakeApi, way: str) -> None:
    api.records, api.parameter = records(9), "p"
    assert read(api, way, parameter="p") == api.records


def test_the_first_page_has_the_number_that_the_registry_says(api: FakeApi) -> None:
    read(api, "page", first="0")
    assert api.asked == [{"page": "0"}]


@pytest.mark.parametrize("way", ["cursor", "link", "header"])
def test_a_page_that_comes_twice_is_passed_over(api: FakeApi, way: str) -> None:
    answers: list[Answer] = []

    class Repeating(Client):
        def get(self, path: str, parameters: Mapping[str, str]) -> Answer:
            return self._twice(super().get(path, parameters))

        def follow(self, link: str, path: str) -> Answer:
            return self._twice(super().follow(link, path))

        def _twice(self, answer: Answer) -> Answer:
            answers.append(answer)
            if len(answers) != 2:
                return answer
            first = json.loads(answers[0].text)
            if isinstance(first, list):
                return Answer(answers[0].text, answer.next)
            again = {**json.loads(answer.text), "data": first["data"]}
            return Answer(json.dumps(again).encode())

    api.paging, api.records = way, records(12)
    options = Options.said(WAYS[way], "reading")
    found = [json.loads(one)["id"] for page in Pages(Repeating(api.settings(), ""), "records", options, {}, key_of, "")
             for one in page]  # fmt: skip
    assert found == [0, 1, 2, 3, 8, 9, 10, 11]  # what the repeated page took the place of did not come: it was not sent


def test_pages_without_an_end_stop_the_read(api: FakeApi) -> None:
    api.records = records(9)
    with pytest.raises(SourceError, match=r"again and again with records that came before, the last time for p=3"):
        read(api, "page", parameter="p")  # the API knows no parameter p: each page is the first
    with pytest.raises(SourceUnavailableError, match=r"at o=3 than .*\(does the API know this parameter\?\)"):
        read(api, "offset", parameter="o")

    class Ring:
        def get(self, path: str, parameters: Mapping[str, str]) -> Answer:
            return Answer(json.dumps({"n": "a", "d": [{"id": len(parameters)}]}).encode())

        def follow(self, link: str, path: str) -> Answer:
            raise AssertionError("no link is said")

    options = Options.said({"paging": "cursor", "next": "n", "records": "d"}, "reading")
    with pytest.raises(SourceError, match="the next one is one that was read before; expected an end"):
        list(Pages(Ring(), "things", options, {}, key_of, "reading"))

    class Empty(Ring):
        numbers = count()

        def get(self, path: str, parameters: Mapping[str, str]) -> Answer:
            return Answer(json.dumps({"n": str(next(self.numbers)), "d": []}).encode())

    with pytest.raises(SourceError, match="again and again"):
        list(Pages(Empty(), "things", options, {}, key_of, "reading"))


class Moving:
    """Changes what an API holds between its pages, as its users do."""

    def __init__(self, api: FakeApi, seed: int, *, kinds: str) -> None:
        self.api, self.random, self.kinds, self.next_id = api, Random(seed), kinds, 1_000
        self.stayed = {record["id"] for record in api.records}

    def __call__(self) -> None:
        there = self.api.records
        match self.random.choice(self.kinds):
            case "d" if there:
                gone = there.pop(self.random.randrange(len(there)))
                self.stayed.discard(gone["id"])
            case "m" if there:  # a record is changed, and stands last then, as where pages go by the time of change
                moved = there.pop(self.random.randrange(len(there)))
                there.append({**moved, "text": f"changed {self.random.random()}", "rank": self.next_id})
            case "f":
                there.insert(0, {"id": self.next_id, "text": "first"})
            case "l":
                there.append({"id": self.next_id, "text": "last"})
        self.next_id += 1


@given(st.integers(0, 10**6), st.sampled_from(["offset", "offset, total", "page, total", "cursor"]), st.integers(0, 14))
def test_what_moves_between_pages_is_told_or_every_record_that_stayed_is_there(
    seed: int, way: str, number: int
) -> None:
    with served() as api:
        api.records = records(number)
        # by number of page a delete is told by the total alone, which a new record makes up for; so they do not meet there
        kinds = {"page, total": "dm", "cursor": "dml"}.get(way, "dmfl") + "-"
        moving = Moving(api, seed, kinds=kinds)
        api.between = moving
        found = moving.stayed
        with suppress(SourceUnavailableError):
            found = {record["id"] for record in read(api, way)}
        assert moving.stayed <= found


def test_records_without_a_key_and_those_that_are_listed_twice_count_for_the_total(api: FakeApi) -> None:
    api.records = [{"id": 1}, {"id": 1}, {"id": 2}, *({"id": None, "text": n} for n in range(3)), {"id": 4}]
    assert len(read(api, "offset, total")) == 6


def test_a_page_that_is_not_all_there_is_stops_where_the_registry_says_no_paging(api: FakeApi) -> None:
    api.records, api.paging = records(9), "cursor"
    client = Client(api.settings(), "")
    for options, why in (
        ({"records": "data.items"}, r"Write `paging: cursor, next: meta\.next` under `options`"),
        (
            {"records": "data.items", "paging": "none", "total": "meta.total"},
            "there are 9 records, and 4 came; expected all",
        ),
    ):
        with pytest.raises(SourceError, match=why):
            list(Pages(client, "records", Options.said(options, ""), {}, key_of, "ingesting answers"))
    alone = Options.said({"records": "data.items", "paging": "none"}, "")
    assert len(next(iter(Pages(client, "records", alone, {}, key_of, "")))) == 4
    client.close()


def test_what_is_no_page_is_told_with_the_lists_that_are_there(api: FakeApi) -> None:
    api.records = records(2)
    with pytest.raises(SourceError, match=r"no list at data.things; lists of objects: data.items\. Correct `records`"):
        read(api, "cursor", records="data.things")
    with pytest.raises(SourceError, match=r"no list at the top; lists of objects: data\.items"):
        read(api, "cursor", records="")
    with pytest.raises(SourceError, match=r"says no number at meta\.sum"):
        read(api, "cursor", total="meta.sum")
    with pytest.raises(SourceError, match="option 'paging' is cursor, and option 'next' is not there"):
        Options.said({"paging": "cursor"}, "reading")
    with pytest.raises(SourceError, match=r"option 'paging' of `source:` is 'pages'.*An API knows records, paging"):
        Options.said({"paging": "pages"}, "reading")


@pytest.mark.parametrize(
    ("text", "path", "found"),
    [
        ("[1, {}]", (), [b"1", b"{}"]),
        ('{"a": {"b": [ {"x": 1.50} ] }}', ("a", "b"), [b'{"x": 1.50}']),
        ('{"a": null}', ("a",), []),
        ("{}", ("a", "b"), []),
        ("null", (), []),
    ],
)
def test_records_are_as_they_are_written(text: str, path: tuple[str, ...], found: list[bytes]) -> None:
    assert Page(text.encode()).records(path) == found


@pytest.mark.parametrize("text", ['{"b": []}', '{"a": 1}', "7", '{"a": {"a": []}}'])
def test_where_no_list_is_there_is_no_page(text: str) -> None:
    with pytest.raises(NoPageError):
        Page(text.encode()).records(("a",))


def test_what_a_page_says_of_the_next_one_is_a_text_or_a_whole_number() -> None:
    page = Page(b'{"a": "x", "b": 7, "c": true, "d": null, "e": {}, "f": 1.5, "g": ""}')
    assert [page.value((name,)) for name in "abcdefgh"] == ["x", "7", None, None, None, None, "", None]
