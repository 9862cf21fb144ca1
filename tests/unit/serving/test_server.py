"""The server as a process and as a thread: what it refuses to start with, and how it ends."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests
from pydantic import SecretStr

from lakehouse.errors import ConfigurationError
from lakehouse.learning.store import ModelStore
from lakehouse.serving.server import listener, token_of
from lakehouse.settings import ModelSettings, Profile
from tests.unit.learning.things import trial
from tests.unit.serving.served import PATIENCE_S, TOKEN, Kept, serving

BODY = json.dumps({"customer": 7, "candidates": [3, 5]}).encode()
PROFILE = """
catalog: {type: jdbc, uri: 'jdbc:sqlite:${home}/none.db'}
analytics: ${home}/analytics.duckdb
lock: {type: file, path: '${home}/run.lock'}
models: {tracking: 'sqlite:///${home}/models.db', artifacts: '${home}/models', serving_token: '${OWN_TOKEN}'}
"""
LEARNER = '''
from lakehouse.learning import model

class Same:
    def __init__(self, score):
        self.score = score
    def order(self, one, candidates):
        return [(item, self.score) for item in candidates]

@model(name="ranking", scores="scores", reads={"events": "silver.events"}, times={"events": "at"}, clock="events",
       holdout_days=7, gate="good", grain="id", columns={"id": "Who."})
class Ranking:
    """All alike."""
    def train(self, known, champion, seed): ...
    def judge(self, trained, known, since, seed): ...
    def score(self, trained, known): ...
    def ranks(self, trained):
        return Same(float(trained["model.txt"]))
'''


def with_token(profile: Profile, token: str | None) -> Profile:
    secret = None if token is None else SecretStr(token)
    return profile.model_copy(update={"models": ModelSettings(tracking="sqlite:///x.db", serving_token=secret)})


def test_a_profile_without_a_token_is_told_what_to_set(profile: Profile) -> None:
    for without in (with_token(profile, None), profile.model_copy(update={"models": None})):
        with pytest.raises(ConfigurationError, match=r"profile 'test' has no token; .*LAKEHOUSE_SERVING_TOKEN"):
            token_of(without)
    token_of(with_token(profile, TOKEN)).check(f"Bearer {TOKEN}")


@pytest.mark.parametrize("token", ["two words", "tök", "line\nline", "\x00token"])
def test_a_token_that_no_header_can_bear_is_refused_and_not_shown(profile: Profile, token: str) -> None:
    with pytest.raises(ConfigurationError, match="expected printable ASCII") as caught:
        token_of(with_token(profile, token))
    assert token not in str(caught.value)


def test_a_port_that_is_taken_and_a_host_that_is_another_s_are_told() -> None:
    with listener("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ConfigurationError, match=rf"nothing can listen at 127\.0\.0\.1 port {port}: .*--port"):
            listener("127.0.0.1", port)
    with pytest.raises(ConfigurationError, match=r"nothing can listen at 192\.0\.2\.1 port 0"):
        listener("192.0.2.1", 0)


def test_connections_send_at_once() -> None:
    with listener("127.0.0.1", 0) as listening, socket.create_connection(listening.getsockname()):
        accepted, _ = listening.accept()
        with accepted:
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


@contextmanager
def half_sent(port: int) -> Iterator[socket.socket]:
    """A connection on which the head of a request was sent and taken up, and no body yet."""
    head = (
        f"POST /rank HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {TOKEN}\r\n"
        f"Content-Length: {len(BODY)}\r\nExpect: 100-continue\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S) as connection:
        connection.sendall(head.encode())
        assert b" 100 " in connection.recv(1000)
        yield connection


def rest(connection: socket.socket) -> bytes:
    """All that comes until the server closes the connection."""
    return b"".join(iter(lambda: connection.recv(1000), b""))


def refuses(port: int) -> None:
    """Return when nothing listens there any more."""
    while True:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)):
                return


def test_a_request_under_way_is_answered_and_nothing_is_left_behind() -> None:
    threads = set(threading.enumerate())
    store = Kept()
    store.promote()
    with serving(store) as served:
        port = int(served.address.rpartition(":")[2])
        with half_sent(port) as connection:
            served.server.stop()
            refuses(port)
            connection.sendall(BODY)
            assert rest(connection).startswith(b"HTTP/1.1 200 ")
    assert set(threading.enumerate()) <= threads


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project whose model `ranking` has a champion."""
    root = tmp_path_factory.mktemp("project")
    home = root / ".lakehouse"
    for path, text in {
        "conf/own.yml": PROFILE,
        "registry/own/events.yml": "source: {connection: app, relation: public.events}\n",
        "registry/own/ranking.py": LEARNER,
    }.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    store = ModelStore(ModelSettings(tracking=f"sqlite:///{home}/models.db", artifacts=str(home / "models")))
    store.add("ranking", trial(0.25))
    return root


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_command_answers_until_a_signal_comes_and_ends_well(project: Path, number: signal.Signals) -> None:
    own = {"LAKEHOUSE_ROOT": str(project), "LAKEHOUSE_PROFILE": "own", "OWN_TOKEN": TOKEN}
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("LAKEHOUSE_")}
    command = [str(Path(sys.executable).with_name("lakehouse")), "serve-ranking", "--port", "0"]
    process = subprocess.Popen(command, env=inherited | own, stderr=subprocess.PIPE, text=True)
    assert process.stderr
    try:
        said: list[str] = []
        while not (found := re.search(r"address=http://127\.0\.0\.1:(\d+)", said[-1] if said else "")):
            said.append(process.stderr.readline())
            assert said[-1], f"it ended: {''.join(said)}"
        port = int(found[1])
        with requests.Session() as session:
            session.trust_env = False
            headers = {"Authorization": f"Bearer {TOKEN}"}
            answer = session.post(f"http://127.0.0.1:{port}/rank", BODY, headers=headers, timeout=PATIENCE_S)
            assert answer.json()["ranking"] == [{"candidate": 3, "score": 0.25}, {"candidate": 5, "score": 0.25}]
            with half_sent(port) as connection:
                process.send_signal(number)
                refuses(port)
                connection.sendall(BODY)
                assert rest(connection).startswith(b"HTTP/1.1 200 ")
        rest_of_log = process.communicate(timeout=PATIENCE_S)[1]
    finally:
        process.kill()
        process.communicate()
    assert process.returncode == 0, rest_of_log
    assert "ended" in rest_of_log
    assert TOKEN not in "".join(said) + rest_of_log
    assert "/rank" not in "".join(said) + rest_of_log
