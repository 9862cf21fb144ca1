"""A survey, which is had from an API."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from random import Random
from typing import Any
from urllib.parse import parse_qs, urlsplit

from scripts.services.settings import HOST
from tests.e2e.foreign.common import WRONG, Row, Truth, at, number
from tests.http_server import Quiet, listening


class Survey:
    """Answers to a survey, from an API that pages by ``skip``, gives ten records at most, and is often busy."""

    TOKEN = "only-for-us"
    MOST = 10

    def __init__(self) -> None:
        self._random = Random(11)
        self._replies: list[Any] = []
        self.faults: list[tuple[int, dict[str, str], bytes]] = []
        self.between: list[int] = []
        self.asked: list[dict[str, str]] = []

    def play(self, day: int) -> None:
        """What people answer on the day, and how the API will misbehave in it."""
        (self._first, self._second, self._third)[day - 1]()
        self.faults = [(429, {"Retry-After": "1"}, b"busy"), (503, {"Retry-After": "0"}, b""), (200, {}, b"<html>")]

    def _first(self) -> None:
        self._replies = [self._reply(n, n / 3) for n in range(47)]
        self._replies[11:11] = ["no object", self._reply(100, 1, edited="yesterday"), self._reply(101, 1, score="lots")]

    def _second(self) -> None:
        self._replies += [self._reply(n, 20 + n / 50) for n in range(60, 75)]
        self._replies.append(self._reply(80, -800))  # it bears a time long before
        self._replies.append(self._reply(81, 15))  # late, within the overlap
        self._edit(3, 22, score="8.25")
        self._edit(4, 22, score="n/a")  # it was right before
        self._edit(101, 23, score=10)
        self._drop(0, 1, 2, 30)
        self.between = [5, 6]  # they leave while pages are read

    def _third(self) -> None:
        self._edit(4, 40, score=None)
        self._edit(7, 40, text=None, tags=[], respondent={"country": None}, device={"os": "x"})
        self._edit(8, 40, respondent="nobody")
        self._drop(60, 101)
        self._replies.insert(0, self._reply(0, 41))  # the answer that left is there again
        self._replies.append(self._replies[9])  # shown twice
        self._replies.reverse()
        for n in self._random.sample(range(10, 29), 12):
            self._edit(n, 42 + n / 60, score=self._random.choice((n, f"{n}.5", "none", None)))

    @staticmethod
    def _reply(n: int, hours: float, **more: Any) -> Row:
        moment = at(hours).replace(microsecond=0)
        return {
            "reply_id": f"R-{n:03}",
            "edited": moment.isoformat() if n % 10 == 9 else int(moment.timestamp() * 1000),
            "score": (7, "7.5", None, 0.1)[n % 4],
            "respondent": {"country": ("DE", "FR")[n % 2], "born": 1950 + n},
            "tags": ["x", n],
            "text": f"olá 😀\n{n}",
            **more,
        }

    def _of(self, n: int) -> int:
        (found,) = (
            i for i, one in enumerate(self._replies) if isinstance(one, dict) and one["reply_id"] == f"R-{n:03}"
        )
        return found

    def _edit(self, n: int, hours: float, **fields: Any) -> None:
        place = self._of(n)
        self._replies[place] = {**self._replies[place], "edited": int(at(hours).timestamp() * 1000), **fields}

    def _drop(self, *numbers: int) -> None:
        for n in numbers:
            del self._replies[self._of(n)]

    def answer(self, path: str, authorization: str | None) -> tuple[int, dict[str, str], bytes]:
        """The status, headers and body of the answer to a request."""
        url = urlsplit(path)
        asked = {name: values[0] for name, values in parse_qs(url.query).items()}
        self.asked.append(asked)
        if authorization != f"Bearer {self.TOKEN}":
            return 401, {}, b"who are you?"
        if self.faults:
            return self.faults.pop(0)
        if url.path != "/open/v3/replies" or asked.get("wave") != "spring":
            return 404, {}, b"nothing here"
        since, skip = int(asked.get("editedSince", 0)), int(asked.get("skip", 0))
        there = [one for one in self._replies if self._edited(one) is None or (self._edited(one) or 0) >= since]
        shown = there[skip : skip + min(int(asked.get("take", 5)), self.MOST)]
        if skip and self.between:
            self._drop(self.between.pop())
        body = {"payload": {"replies": shown}, "paging": {"all": len(there)}}
        return 200, {"Content-Type": "application/json"}, json.dumps(body).encode()

    @staticmethod
    def _edited(reply: Any) -> int | None:
        """When a reply was edited, in milliseconds; ``None`` where it does not say."""
        edited = reply["edited"] if isinstance(reply, dict) else None
        if not isinstance(edited, str):
            return edited
        return int(datetime.fromisoformat(edited).timestamp() * 1000) if edited[0].isdigit() else None

    def truth(self) -> Truth:
        """What the API holds."""
        rows: dict[Any, Row] = {}
        rejected: set[Any] = set()
        for reply in self._replies:
            edited = self._edited(reply)
            if edited is None:
                rejected.add(reply if isinstance(reply, str) else reply["reply_id"])
                continue
            other = {name: reply[name] for name in reply.keys() & {"device"}}
            who = reply["respondent"]
            if not isinstance(who, dict):
                who, other["respondent"] = {}, who
            try:
                rows[reply["reply_id"]] = {
                    "reply_id": reply["reply_id"],
                    "edited": datetime.fromtimestamp(edited / 1000, UTC),
                    "score": number(reply["score"], "0.01"),
                    "respondent_country": who.get("country"),
                    "respondent_born": who.get("born"),
                    "tags": json.dumps(reply["tags"]),
                    "text": reply["text"],
                    "other_fields": other or None,
                }
            except WRONG:
                rejected.add(reply["reply_id"])
        return rows, rejected


@contextmanager
def served(survey: Survey) -> Iterator[str]:
    """The survey on a port of this machine, until the end; where its API is."""

    class Handler(Quiet):
        def do_GET(self) -> None:  # noqa: N802  (the library's name)
            status, headers, body = survey.answer(self.path, self.headers.get("Authorization"))
            self.reply(status, body, headers)

    with listening(Handler) as port:
        yield f"http://{HOST}:{port}/open/v3"
