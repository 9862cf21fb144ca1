"""A server of rankings for tests: in a thread, on a free port, with a store that is a dictionary."""

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

import requests
from pydantic import SecretStr

from lakehouse.learning.store import Record, Version
from lakehouse.registry.models import Model, Ranks, Trained
from lakehouse.serving.asked import Token
from lakehouse.serving.champion import Champion
from lakehouse.serving.metrics import Metrics
from lakehouse.serving.server import Server, listener
from tests.unit.learning.things import Nothing, made_model, trial

TOKEN = "the-token-of-the-tests"
SOON_S = 0.02
PATIENCE_S = 60.0
UNKNOWN_SCORE = -1.0


class ByScore:
    """Known candidates have a score each; all of one version have ``base`` in common."""

    def __init__(self, base: float) -> None:
        self._base = base

    def order(self, one: int | str, candidates: Sequence[int | str]) -> list[tuple[int | str, float]]:
        if one == "fault":
            raise ZeroDivisionError("a fault of the ranker")
        liked = 0.5 if one == 1 else 0.0
        scores = [
            (item, self._base + item / 100 + liked if isinstance(item, int) else UNKNOWN_SCORE) for item in candidates
        ]
        return sorted(scores, key=lambda pair: -pair[1])


class Ranker(Nothing):
    """A learner that ranks by what stands in its file."""

    def ranks(self, trained: Trained) -> Ranks:
        return ByScore(float(trained["model.txt"]))


class Kept:
    """A store of versions; ``files`` holds what each left, and ``fault`` is raised instead of an answer."""

    def __init__(self) -> None:
        self.files_of: dict[int, Mapping[str, bytes]] = {}
        self.newest: Version | None = None
        self.fault: Exception | None = None
        self.looks = 0
        self._looked = threading.Condition()

    def promote(self, files: Mapping[str, bytes] | None = None) -> int:
        """Keep a version whose number is its base, and make it the champion."""
        number = (self.newest.number if self.newest else 0) + 1
        self.files_of[number] = {"model.txt": str(number).encode()} if files is None else files
        self.newest = version(number)
        return number

    def champion(self, name: str) -> Version | None:
        with self._looked:
            self.looks += 1
            self._looked.notify_all()
        if self.fault is not None:
            raise self.fault
        return self.newest

    def files(self, name: str, version: Version) -> Trained:
        return self.files_of[version.number]

    def await_looks(self, more: int) -> None:
        """Return when ``more`` looks have begun from now on: all but the last one have ended then."""
        with self._looked:
            wanted = self.looks + more
            assert self._looked.wait_for(lambda: self.looks >= wanted, PATIENCE_S)


def version(number: int) -> Version:
    kept = trial()
    record = {name: getattr(kept, name) for name in Record.__dataclass_fields__}
    return Version(**record, number=number, run_id=f"run-{number}", measures={}, baseline={})


def ranking_model() -> Model:
    return replace(made_model(name="ranking"), learner=Ranker())


@dataclass
class Served:
    """A server that runs."""

    address: str
    store: Kept
    champion: Champion
    metrics: Metrics
    server: Server
    session: requests.Session = field(default_factory=requests.Session)

    def rank(self, content: Any = None, *, token: str | None = TOKEN, **more: Any) -> requests.Response:
        """The answer to ``content`` as JSON, or to what ``more`` gives to requests."""
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        if content is not None:
            more["json"] = content
        return self.session.post(f"{self.address}/rank", headers=headers, timeout=PATIENCE_S, **more)

    def get(self, path: str) -> requests.Response:
        return self.session.get(f"{self.address}{path}", timeout=PATIENCE_S)

    def metric(self, name: str) -> float:
        """The value of a metric, by its name and labels; 0 where there is none yet."""
        lines = self.get("/metrics").text.splitlines()
        return next((float(line.rpartition(" ")[2]) for line in lines if line.rpartition(" ")[0] == name), 0.0)


@contextmanager
def serving(store: Kept | None = None, model: Model | None = None) -> Iterator[Served]:
    """A server that looks for its champion all the time; it has ended, with its threads, when the block has."""
    store, metrics = store or Kept(), Metrics()
    champion = Champion(model or ranking_model(), store, metrics)
    champion.look()
    server = Server(champion, Token(SecretStr(TOKEN)), metrics)
    listening = listener("127.0.0.1", 0)
    address = f"http://127.0.0.1:{listening.getsockname()[1]}"
    thread = threading.Thread(target=server.run, args=(listening, SOON_S))
    thread.start()
    served = Served(address, store, champion, metrics, server)
    served.session.trust_env = False  # no proxy between the two
    try:
        yield served
    finally:
        served.session.close()
        server.stop()
        thread.join(PATIENCE_S)
        assert not thread.is_alive()


SINCE: date = trial().since
