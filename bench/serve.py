"""How fast rankings are answered over HTTP while another version comes into use: 50 candidates, vectors of 32 floats.

The server is a process on one core. Requests are sent at their time whether or not earlier ones were answered, and a latency
counts from that time: a server that stalls makes all requests late that were due meanwhile.
"""

import http.client
import io
import json
import multiprocessing
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from multiprocessing.synchronize import Event
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import numpy as np
import typer

from bench.common import result, say
from lakehouse.learning.store import ModelStore, Trial, model_store
from lakehouse.registry.models import Judged, Measure
from lakehouse.settings import load_profile
from scripts.services.process import answers, free_ports, wait_until
from scripts.services.settings import HOST

_MODEL = "nearest"
_TOKEN = "token-of-the-benchmark"
_CUSTOMERS, _PRODUCTS, _FLOATS, _CANDIDATES = 20_000, 10_000, 32, 50
_CONNECTIONS = 16
_START_S = 120.0

_PROFILE = """
catalog: {type: jdbc, uri: 'jdbc:sqlite:${home}/none.db'}
analytics: ${home}/analytics.duckdb
lock: {type: file, path: '${home}/run.lock'}
models: {tracking: 'sqlite:///${home}/models.db', artifacts: '${home}/models', serving_token: '${LAKEHOUSE_SERVING_TOKEN}'}
"""
_TABLE = "source: {connection: app, relation: public.events}\n"
_LEARNER = '''
import io

import numpy as np

from lakehouse.learning import model


class Nearest:
    def __init__(self, trained):
        self.ones, self.items = (np.load(io.BytesIO(trained[name])) for name in ("ones.npy", "items.npy"))

    def order(self, one, candidates):
        known = [item for item in candidates if isinstance(item, int) and 0 <= item < len(self.items)]
        scores = self.items[known] @ self.ones[one % len(self.ones)]
        best = [(known[place], float(scores[place])) for place in np.argsort(-scores, kind="stable")]
        return best + [(item, -1e9) for item in candidates if item not in set(known)]


@model(name="nearest", scores="nearest_scores", reads={"events": "silver.events"}, times={"events": "at"}, clock="events",
       holdout_days=7, gate="good", grain="id", columns={"id": "Who."})
class Ranking:
    """Which items are nearest."""
    def train(self, known, champion, seed): ...
    def judge(self, trained, known, since, seed): ...
    def score(self, trained, known): ...
    def ranks(self, trained):
        return Nearest(trained)
'''


@dataclass(frozen=True)
class Answer:
    """What became of a request.

    Attributes:
        version: ``None``: it failed.
        latency_s: from when it was due.
        late_s: how much of that had passed before it was sent: the senders' part.
    """

    version: int | None
    latency_s: float
    late_s: float
    why: str = ""


def main(
    rate: Annotated[int, typer.Option(min=1, help="Requests a second.")] = 50,
    seconds: Annotated[int, typer.Option(min=2, help="How long they are sent.")] = 20,
    json_output: Annotated[bool, typer.Option("--json", help="Print one JSON object last.")] = False,
) -> None:
    """Measure a server of rankings under load; a new version is promoted in the middle."""
    with TemporaryDirectory() as folder:
        _project(Path(folder))
        _promote(1)
        with _server() as port, _promoting_process() as now:
            say(f"{rate * seconds:,} requests, {rate} a second")
            halfway = threading.Timer(seconds / 2, now.set)
            halfway.start()
            answered = _load(port, rate, seconds)
            halfway.join()
    latencies = np.array([answer.latency_s for answer in answered]) * 1000
    failed = [answer for answer in answered if answer.version is None]
    for answer in failed[:3]:
        say(f"failed: {answer.why}")
    values = {
        "requests": len(answered),
        "failed": len(failed),
        "p50_ms": round(float(np.percentile(latencies, 50)), 2),
        "p99_ms": round(float(np.percentile(latencies, 99)), 2),
        "versions_seen": sorted({answer.version for answer in answered if answer.version is not None}),
    }
    late = float(np.percentile([answer.late_s for answer in answered], 99)) * 1000
    say(f"the slowest took {latencies.max():.1f} ms; one in a hundred was sent {late:.1f} ms late or more")
    result(values, as_json=json_output)


def _project(folder: Path) -> None:
    """A project with one model that can rank, for all commands that are started from now on."""
    for path, text in {
        "conf/bench.yml": _PROFILE,
        "registry/bench/events.yml": _TABLE,
        "registry/bench/nearest.py": _LEARNER,
    }.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    os.environ.pop("LAKEHOUSE_REGISTRY", None)
    os.environ |= {
        "LAKEHOUSE_ROOT": str(folder),
        "LAKEHOUSE_HOME": str(folder / "home"),
        "LAKEHOUSE_PROFILE": "bench",
        "LAKEHOUSE_SERVING_TOKEN": _TOKEN,
    }


def _promote(seed: int, store: ModelStore | None = None) -> None:
    """Keep a version whose vectors are chance; it is the champion from then on."""
    chance = np.random.default_rng(seed)
    files = {}
    for name, rows in (("ones.npy", _CUSTOMERS), ("items.npy", _PRODUCTS)):
        np.save(file := io.BytesIO(), chance.standard_normal((rows, _FLOATS), dtype=np.float32))
        files[name] = file.getvalue()
    judged = Judged({"good": Measure(1.0)}, {"good": Measure(0.5)}, 1)
    days = {"until": date(2026, 3, 1), "since": date(2026, 2, 22)}
    trial = Trial(**days, inputs={}, definition="d", seed=seed, promoted=True, why="promoted", judged=judged, files=files,
                  card={"card.md": ""})  # fmt: skip
    (store or model_store(load_profile())).add(_MODEL, trial)


@contextmanager
def _server() -> Iterator[int]:
    """The port of a server that has a champion, and a core of its own where the system gives one."""
    (port,) = free_ports(HOST, 1)
    lakehouse = str(Path(sys.executable).with_name("lakehouse"))
    process = subprocess.Popen([lakehouse, "serve-ranking", "--model", _MODEL, "--port", str(port)])
    try:
        _part_cores(process.pid)
        wait_until(lambda: answers(HOST, port, "/health"), _START_S, "the server answers")
        yield port
    finally:
        process.terminate()
        process.wait()


def _part_cores(server: int) -> None:
    """Give the process ``server`` a core, and this one and those that it starts from now on the others."""
    if hasattr(os, "sched_setaffinity") and len(cores := os.sched_getaffinity(0)) > 1:
        os.sched_setaffinity(server, {max(cores)})
        os.sched_setaffinity(0, cores - {max(cores)})


@contextmanager
def _promoting_process() -> Iterator[Event]:
    """A process, started and waiting, that promotes a version when the event is set: its work is not the senders'."""
    context = multiprocessing.get_context("spawn")
    ready, now = context.Event(), context.Event()
    process = context.Process(target=_promote_when, args=(ready, now))
    process.start()
    try:
        if not ready.wait(_START_S):
            sys.exit("the process that promotes did not start")
        yield now
    finally:
        now.set()
        process.join()


def _promote_when(ready: Event, now: Event) -> None:
    store = model_store(load_profile())
    store.versions(_MODEL)
    ready.set()
    now.wait()
    _promote(2, store)


def _load(port: int, rate: int, seconds: int) -> list[Answer]:
    """Send ``rate`` requests a second, each when it is due."""
    bodies = _bodies(rate * seconds)
    local = threading.local()
    with ThreadPoolExecutor(_CONNECTIONS) as senders:
        began = time.perf_counter() + 0.1
        sent = []
        for number, body in enumerate(bodies):
            due = began + number / rate
            time.sleep(max(0.0, due - time.perf_counter()))
            sent.append(senders.submit(_ask, local, port, body, due))
        return [future.result() for future in sent]


def _bodies(count: int) -> Sequence[bytes]:
    chance = np.random.default_rng(7)
    return [
        json.dumps(
            {
                "customer": int(chance.integers(_CUSTOMERS)),
                "candidates": chance.choice(_PRODUCTS, _CANDIDATES, replace=False).tolist(),
            }
        ).encode()
        for _ in range(count)
    ]


def _ask(local: threading.local, port: int, body: bytes, due: float) -> Answer:
    """Ask by the connection of this thread."""
    late = time.perf_counter() - due
    headers = {"Authorization": f"Bearer {_TOKEN}", "Content-Type": "application/json"}
    if not hasattr(local, "connection"):
        local.connection = http.client.HTTPConnection(HOST, port, timeout=10)
    try:
        local.connection.request("POST", "/rank", body, headers)
        response = local.connection.getresponse()
        text = response.read()
        latency = time.perf_counter() - due
        answer = json.loads(text)
        if response.status != http.HTTPStatus.OK or len(answer["ranking"]) != _CANDIDATES:
            return Answer(None, latency, late, f"{response.status} {answer}")
        return Answer(int(answer["version"]), latency, late)
    except (OSError, http.client.HTTPException, ValueError, KeyError) as error:
        local.connection.close()
        return Answer(None, time.perf_counter() - due, late, repr(error))


if __name__ == "__main__":
    typer.run(main)
