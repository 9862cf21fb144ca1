"""What the benchmarks share: a home of their own, timed commands, a result as one JSON object."""

import json
import os
import resource
import shutil
import signal
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from lakehouse.orchestrate.launch import Application, application
from lakehouse.settings import Profile, load_profile
from scripts.services.control import Services
from scripts.services.process import free_ports
from scripts.services.settings import HOST, PORTS, ROOT, Home

HOME = ROOT / ".lakehouse" / "bench"


def services(*names: str, home: Home | None = None) -> Services:
    """The services of the checkout, or of ``home``, started unless they run; their secrets are put into the environment."""
    found = Services(home)
    os.environ.update(found.env)
    found.start(*names)
    return found


@contextmanager
def own_services(*names: str) -> Iterator[Services]:
    """Services beside the demo's, on free ports; ended, and their data thrown away.

    Commands that are started meanwhile find them by the environment.
    """
    home = Home(HOME / f"services-{os.getpid()}")
    os.environ.update(zip((PORTS[name][1] for name in names), map(str, free_ports(HOST, len(names))), strict=True))
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that they are ended then, too
    found = services(*names, home=home)
    try:
        yield found
    finally:
        found.stop()
        shutil.rmtree(home.folder, ignore_errors=True)


def environment(home: Path, **more: str) -> dict[str, str]:
    """The environment of a command whose lake is in ``home``."""
    home.mkdir(parents=True, exist_ok=True)
    python = {"PYSPARK_PYTHON": sys.executable, "PYSPARK_DRIVER_PYTHON": sys.executable}
    return os.environ | python | {"LAKEHOUSE_HOME": str(home), "LAKEHOUSE_ROOT": str(ROOT)} | more


def timed(command: Sequence[str], env: Mapping[str, str]) -> float:
    """Seconds that ``command`` takes from start to end; what it prints is shown when it fails."""
    began = time.monotonic()
    done = subprocess.run(command, env=dict(env), capture_output=True, text=True, check=False)
    seconds = time.monotonic() - began
    if done.returncode:
        sys.exit(
            f"{' '.join(command[:3])} … ended with {done.returncode}\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}"
        )
    return seconds


@dataclass(frozen=True)
class Measured:
    """What a command took.

    Attributes:
        seconds: from start to end.
        processor_seconds: what its processes computed; unlike the time, it hardly depends on what else runs.
        peak_bytes: the most memory that all processes under this one held together, services included; sampled.
    """

    seconds: float
    processor_seconds: float
    peak_bytes: int

    @property
    def peak_gib(self) -> float:
        return round(self.peak_bytes / 2**30, 2)

    def __str__(self) -> str:
        processor = f"{self.processor_seconds:.0f} s of processor"
        return f"{self.seconds:.1f} s, {processor}, at most {self.peak_gib:.1f} GiB"


def measured(command: Sequence[str], env: Mapping[str, str]) -> Measured:
    """Run ``command`` as :func:`timed` does, and watch the memory of all its processes."""
    ended, peak = threading.Event(), 0

    def watch() -> None:
        nonlocal peak
        while not ended.wait(1):
            peak = max(peak, _held_bytes(os.getpid()))

    watcher = threading.Thread(target=watch, daemon=True)
    before = _processor_seconds()
    watcher.start()
    try:
        seconds = timed(command, env)
    finally:
        ended.set()
        watcher.join()
    return Measured(seconds, _processor_seconds() - before, peak)


def _processor_seconds() -> float:
    """Of all processes that this one started and that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def spark_jobs(command: Sequence[str], env: Mapping[str, str]) -> int:
    """How many Spark jobs ``command`` has, by the event logs of its applications. Writing them takes time: do not time it."""
    with TemporaryDirectory() as folder:
        conf = {"enabled": "true", "dir": Path(folder).as_uri(), "compress": "false", "rolling.enabled": "false"}
        options = " ".join(f"-Dspark.eventLog.{name}={value}" for name, value in conf.items())
        timed(command, {**env, "SPARK_SUBMIT_OPTS": options})
        logs = [path.read_text() for path in Path(folder).iterdir()]
    return sum(log.count('{"Event":"SparkListenerJobStart"') for log in logs)


def _held_bytes(root: int) -> int:
    """Memory of the processes that ``root`` started, in bytes, shared pages divided among those that share; from /proc."""
    parents: dict[int, int] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(FileNotFoundError, ProcessLookupError):  # it ended meanwhile
            head, _, tail = path.read_text().rpartition(")")
            parents[int(head.split(" ")[0])] = int(tail.split()[1])
    found, total = {root}, 0
    while found:
        found = {process for process, parent in parents.items() if parent in found}
        total += sum(map(_proportional_bytes, found))
    return total


def _proportional_bytes(process: int) -> int:
    with suppress(FileNotFoundError, ProcessLookupError):
        lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
        return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))
    return 0


def start_of_spark(repetitions: int = 3) -> float:
    """Seconds that an application needs that does nothing but open its catalog: the median of some starts. Said as S.

    Call it after a run, which leaves a fuller class archive behind for later starts than this does where there is none.
    """
    env = environment(HOME / "start")
    job = _job("start.py")
    timed(job.command, env)
    job.keep_archive()
    start = statistics.median(timed(_job("start.py").command, env) for _ in range(repetitions))
    say(f"Spark alone starts in {start:.1f} s: 1 S")
    return start


def _job(name: str) -> Application:
    return application(profile(), str(ROOT / "bench" / "jobs" / name), [])


def profile() -> Profile:
    """The profile that is measured."""
    return load_profile("embedded")


def in_starts(seconds: float, start: float) -> str:
    """``seconds`` as a text, and in S, the time in which Spark alone starts."""
    return f"{seconds:.1f} s, {seconds / start:.1f} S"


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def result(values: Mapping[str, object], *, as_json: bool) -> None:
    """Print the result: one JSON object last, or a line for each value."""
    if as_json:
        print(json.dumps(values))
        return
    for name, value in values.items():
        print(f"{name:>16}  {value:,}" if isinstance(value, int | float) else f"{name:>16}  {value}")
