"""A lake of its own for each module, run by the commands that people and schedulers run."""

import fcntl
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb
import pytest

from scripts.demo_data.engagement import generator
from scripts.services.cassandra import Cassandra
from tests.conftest import ROOT
from tests.integration.endpoints import PostgresEndpoint
from tests.jvm import COMPILE_FAST
from tests.oracles.engagement import Sources


@dataclass
class Sandbox:
    """A home folder for a lake, and the commands that work on it."""

    home: Path
    env: dict[str, str]
    profile: str = "embedded"
    domain: str = "engagement"
    events: list[dict[str, Any]] = field(default_factory=list)

    def pipeline(self, *arguments: str, code: int = 0) -> list[dict[str, Any]]:
        """Run the master script; returns its events."""
        done = subprocess.run(self.command(*arguments), env=self.env, capture_output=True, text=True, check=False)
        assert done.returncode == code, f"exit {done.returncode}\n{done.stdout[-3000:]}\n{done.stderr[-6000:]}"
        self.events = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
        return self.events

    def command(self, *arguments: str) -> list[str]:
        script = str(ROOT / "scripts" / "run_pipeline.py")
        only = () if {"--tables", "--domains", "--resume"} & set(arguments) else ("--domains", self.domain)
        return [sys.executable, script, "--profile", self.profile, "--json", *only, *arguments]

    def tables(self) -> dict[str, dict[str, Any]]:
        """What became of each table in the last run."""
        return {event["table"]: event for event in self.events if event["event"] == "table"}

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start the master script, and do not wait for it."""
        command = self.command(*arguments)
        return subprocess.Popen(command, env=self.env, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)

    def kill(self, process: subprocess.Popen[str]) -> None:
        """End a run with its Spark at once, whatever they are doing, and wait until its lock is let go."""
        children = _children(process.pid)
        process.kill()
        process.wait()
        for child in children:
            with suppress(ProcessLookupError):
                os.killpg(child, signal.SIGKILL)
        self._wait_for_lock()

    def _wait_for_lock(self) -> None:
        deadline = time.monotonic() + 20
        with (self.home / "run.lock.write").open("a") as lock:
            while time.monotonic() < deadline:
                try:
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    return
                except BlockingIOError:
                    time.sleep(0.1)
        pytest.fail("the killed application still holds its lock")

    def sql(self, query: str) -> list[tuple[Any, ...]]:
        """The rows of a query, as `lakehouse sql` answers it."""
        output = self.home / "answer.parquet"
        command = [
            str(ROOT / ".venv" / "bin" / "lakehouse"),
            "sql",
            "--profile",
            self.profile,
            query,
            "--output",
            str(output),
        ]
        subprocess.run(command, env=self.env, capture_output=True, check=True)
        return duckdb.sql(f"FROM read_parquet('{output}')").fetchall()

    def submit(self, *arguments: str, code: int = 0) -> str:
        """spark-submit, as the README has it."""
        command = [str(ROOT / ".venv" / "bin" / "spark-submit"), "--properties-file", "spark-defaults.conf", *arguments]
        done = subprocess.run(command, env=self.env, capture_output=True, text=True, check=False, cwd=ROOT)
        assert done.returncode == code, f"exit {done.returncode}\n{done.stdout[-3000:]}\n{done.stderr[-6000:]}"
        return done.stdout


def _children(parent: int) -> list[int]:
    """The processes that ``parent`` started and that still run."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            head, _, tail = path.read_text().rpartition(")")
        except (FileNotFoundError, ProcessLookupError):
            continue  # it ended meanwhile
        if int(tail.split()[1]) == parent:
            found.append(int(head.split(" ")[0]))
    return found


@pytest.fixture(scope="session")
def sources(app_database: PostgresEndpoint, cassandra_service: Cassandra) -> Iterator[tuple[Any, Any]]:
    """Both sources with a twentieth of the demo's data: administrator's connections to them."""
    cluster = cassandra_service.cluster()
    session = cluster.connect()
    with closing(app_database.connect()) as postgres:
        generator.create_schema(postgres, session)
        generator.load(postgres, session, scale=0.05, seed=11)
        yield postgres, session
    cluster.shutdown()


@pytest.fixture(scope="session")
def oracle(sources: tuple[Any, Any]) -> Sources:
    return Sources(*sources)


@pytest.fixture(scope="module")
def make_sandbox(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Sandbox]:
    def make(profile: str = "embedded", domain: str = "engagement", **env: str) -> Sandbox:
        home = tmp_path_factory.mktemp("home")
        settings = {"LAKEHOUSE_HOME": str(home), "LAKEHOUSE_ROOT": str(ROOT), "PYSPARK_PYTHON": sys.executable,
                    "PYSPARK_DRIVER_PYTHON": sys.executable,
                    "SPARK_SUBMIT_OPTS": COMPILE_FAST}  # fmt: skip
        return Sandbox(home, os.environ | settings | env, profile, domain)

    return make
