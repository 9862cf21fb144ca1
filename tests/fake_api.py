"""A fake API on this machine, in this process: it pages in five ways, asks who comes, and misbehaves where a test says so."""

import base64
import json
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

from lakehouse.sources.rest.settings import Settings
from scripts.services.settings import HOST
from tests.http_server import Quiet, listening

Record = dict[str, Any]


@dataclass(frozen=True)
class Fault:
    """One answer that is not the one that is due.

    Attributes:
        status: of it.
        body: of it; ``None``: what is due.
        headers: of it.
        cut: whether the connection ends in the middle of the body.
    """

    status: int = 200
    body: bytes | None = None
    headers: dict[str, str] = field(default_factory=dict)
    cut: bool = False


@dataclass
class FakeApi:
    """What it holds, and how it answers.

    Attributes:
        records: of ``/v1/records``, in the order in which they are shown.
        size: of a page, at most, whatever is asked for.
        paging: the parameter that it knows (``page``, ``offset``, ``cursor``), ``link`` or ``header``.
        parameter: what it calls the parameter, where not like that.
        faults: of the next requests, one after the other; ``None``: none.
        between: called after each page.
        token: that it wants; a client can have it at ``/token``.
        asked: the parameters of each request, in their order.
        seen: the headers of each.
    """

    records: list[Record] = field(default_factory=list)
    size: int = 4
    paging: str = "cursor"
    parameter: str = ""
    faults: deque[Fault | None] = field(default_factory=deque)
    between: Callable[[], None] | None = None
    token: str | None = None
    asked: list[dict[str, str]] = field(default_factory=list)
    seen: list[dict[str, str]] = field(default_factory=list)
    tokens: int = 0
    port: int = 0

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}/v1"

    def settings(self, **more: Any) -> Settings:
        """A profile's source."""
        values = {"type": "rest", "url": self.url, "request_timeout_s": 5.0, "tries": 3, **more}
        return Settings.model_validate(values)

    def page(self, asked: dict[str, str]) -> tuple[Any, dict[str, str]]:
        """The page asked for, and its headers."""
        since = asked.get("updated_after")
        there = [record for record in self.records if since is None or str(record.get("updated_at", since)) > since]
        number, size = self._begins(there, asked), self.size
        found, ends = there[number : number + size], number + size >= len(there)
        if self.paging == "header":
            return found, {} if ends else {"Link": f'<{self.url}/records?start={number + size}>; rel="next"'}
        meta: Record = {"total": len(there)}
        if self.paging == "link":
            meta["next"] = None if ends else f"/v1/records?start={number + size}"
        if self.paging == "cursor":
            meta["next"] = None if ends else base64.b64encode(str(_rank(found[-1])).encode()).decode()
        return {"meta": meta, "data": {"items": found}}, {}

    def _begins(self, there: Sequence[Record], asked: dict[str, str]) -> int:
        said = asked.get(self.parameter or self.paging)
        if self.paging == "page":
            return (int(said or 1) - 1) * self.size
        if self.paging == "offset":
            return int(said or 0)
        if self.paging == "cursor" and said is not None:
            last = int(base64.b64decode(str(said)))
            return sum(_rank(record) <= last for record in there)
        return int(asked.get("start") or 0)


def _rank(record: Record) -> int:
    """By what records are ordered where pages go by a cursor."""
    return int(record.get("rank") or record["id"])


class _Handler(Quiet):
    api: FakeApi

    def do_GET(self) -> None:  # noqa: N802  (the library's name)
        api = self.api
        url = urlsplit(self.path)
        asked = {name: values[0] for name, values in parse_qs(url.query).items()}
        api.asked.append(asked)
        api.seen.append(dict(self.headers.items()))
        fault = api.faults.popleft() if api.faults else None
        if api.token is not None and self.headers.get("Authorization") != f"Bearer {api.token}":
            self._answer(401, {"error": "who are you?"})
        elif url.path != "/v1/records":
            self._answer(404, {"error": "no such thing"})
        elif fault is not None and (fault.body is not None or fault.status != 200):
            self._send(fault.status, fault.body or b"", fault.headers, cut=fault.cut)
        else:
            body, headers = api.page(asked)
            self._send(200, json.dumps(body).encode(), headers, cut=fault is not None and fault.cut)
            if api.between is not None:
                api.between()

    def do_POST(self) -> None:  # noqa: N802
        api = self.api
        form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        api.tokens += 1
        fault = api.faults.popleft() if api.faults else None
        if fault is not None:
            self._send(fault.status, fault.body or b"", fault.headers)
        elif form.get("grant_type") != ["client_credentials"] or "Basic" not in self.headers.get("Authorization", ""):
            self._answer(400, {"error": "unsupported_grant_type"})
        elif base64.b64decode(self.headers["Authorization"].split()[1]) != b"me:secret-of-mine":
            self._answer(401, {"error": "invalid_client"})
        else:
            self._answer(200, {"access_token": api.token, "expires_in": 3600})

    def _answer(self, status: int, body: Any) -> None:
        self._send(status, json.dumps(body).encode(), {})

    def _send(self, status: int, body: bytes, headers: dict[str, str], *, cut: bool = False) -> None:
        self.reply(status, body, {"Content-Type": "application/json", **headers}, cut=cut)


@contextmanager
def served() -> Iterator[FakeApi]:
    """A fake API that answers on a port of its own, until the end."""
    api = FakeApi()
    handler = type("Handler", (_Handler,), {"api": api})
    with listening(handler) as api.port:
        yield api
