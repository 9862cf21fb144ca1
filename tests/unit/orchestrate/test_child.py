"""An application as a child process: one that prints junk, says half a line, dies, or will not end."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from lakehouse.logs import Redaction
from lakehouse.orchestrate import child
from lakehouse.orchestrate.child import Log, follow
from lakehouse.orchestrate.events import Event, RunStarted, TableStarted
from tests.conftest import ROOT


@pytest.fixture
def log(tmp_path: Path) -> Log:
    return Log(tmp_path / "logs" / "run.log", Redaction(), verbose=False)


def followed(code: str, log: Log) -> tuple[int, list[Event]]:
    """What a Python program says, and its exit code."""
    found: list[Event] = []
    return follow([sys.executable, "-c", code], os.environ, log, found.append), found


def is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


STARTED = '{"event": "table_started", "table": "raw.a"}'


def test_what_is_no_event_goes_to_the_log_as_it_was(log: Log) -> None:
    junk = ["26/01/02 WARN Utils: x", "{", '{"event": "no such event"}', '{"event": "table_started"}', "[1]", "Żółć"]
    code = f"for text in {junk!r}: print(text)\nprint({STARTED!r})"
    assert followed(code, log) == (0, [TableStarted(table="raw.a")])
    assert log.path.read_text().splitlines() == junk


def test_bytes_that_are_no_text_end_nothing(log: Log) -> None:
    code = f"import sys; sys.stdout.buffer.write(bytes([255, 254, 10]) + {STARTED.encode()!r} + bytes([10]))"
    assert followed(code, log) == (0, [TableStarted(table="raw.a")])
    assert log.path.read_text() == "\N{REPLACEMENT CHARACTER}" * 2 + "\n"


def test_an_application_that_dies_in_the_middle_of_an_event_has_not_said_it(log: Log) -> None:
    half = f"sys.stdout.write({STARTED[:20]!r}); sys.stdout.flush(); os.kill(os.getpid(), 9)"
    code = f"import os, sys; print({STARTED!r}); {half}"
    assert followed(code, log) == (-signal.SIGKILL, [TableStarted(table="raw.a")])
    assert log.path.read_text() == STARTED[:20]


def test_a_last_event_without_an_end_of_line_is_said(log: Log) -> None:
    assert followed(f"import sys; sys.stdout.write({STARTED!r})", log) == (0, [TableStarted(table="raw.a")])


def test_an_application_that_closes_its_output_is_waited_for(log: Log) -> None:
    code = "import os, time; os.close(1); os.close(2); time.sleep(0.3); os._exit(7)"
    began = time.monotonic()
    assert followed(code, log) == (7, [])
    assert time.monotonic() - began >= 0.3


def test_an_application_that_says_nothing_leaves_no_log(log: Log) -> None:
    assert followed("", log) == (0, [])
    assert not log.path.exists()


def test_secrets_do_not_reach_the_log(tmp_path: Path) -> None:
    log = Log(tmp_path / "log", Redaction(["swordfish"]), verbose=False)
    followed("import sys; print('key swordfish'); print('and swordfish', file=sys.stderr)", log)
    assert sorted(log.path.read_text().splitlines()) == ["and [secret]", "key [secret]"]


@pytest.mark.parametrize("deaf", [False, True], ids=["ends when it is asked", "has to be killed"])
def test_an_application_does_not_outlive_whoever_follows_it(
    log: Log, monkeypatch: pytest.MonkeyPatch, deaf: bool
) -> None:
    monkeypatch.setattr(child, "_PATIENCE_S", 0.3)
    code = (
        "import json, os, signal, time\n"
        f"if {deaf}: signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        'print(json.dumps({"event": "run_started", "run_id": "r", "process": os.getpid()}), flush=True)\n'
        "time.sleep(60)\n"
    )
    processes: list[int] = []

    def report(event: Event) -> None:
        assert isinstance(event, RunStarted)
        assert event.process is not None
        processes.append(event.process)
        raise ValueError("whoever follows it broke")

    began = time.monotonic()
    with pytest.raises(ValueError, match="whoever follows it broke"):
        follow([sys.executable, "-c", code], os.environ, log, report)
    assert time.monotonic() - began < 20
    assert len(processes) == 1
    assert not is_alive(processes[0])


def test_the_application_of_an_interrupted_run_records_what_it_knows_and_ends(tmp_path: Path) -> None:
    """In a process of its own: signals go to processes."""
    said = tmp_path / "said"
    child = tmp_path / "child.py"
    child.write_text(
        "import os, signal, sys, time\n"
        f"signal.signal(signal.SIGTERM, lambda *_: (open({str(said)!r}, 'w').write('recorded'), os._exit(3)))\n"
        'print(\'{"event": "run_started", "run_id": "r", "process": %d}\' % os.getpid(), flush=True)\n'
        "time.sleep(60)\n"
    )
    parent = tmp_path / "parent.py"
    parent.write_text(
        "import sys, os\nfrom pathlib import Path\n"
        "from lakehouse.logs import Redaction\nfrom lakehouse.orchestrate.child import Log, follow\n"
        f"log = Log(Path({str(tmp_path / 'log')!r}), Redaction(), verbose=False)\n"
        f"command = ['/bin/sh', '-c', '{sys.executable} {child}; exit $?']\n"
        "follow(command, os.environ, log, lambda event: print(event.event, flush=True))\n"
    )
    process = subprocess.Popen([sys.executable, str(parent)], stdout=subprocess.PIPE, text=True,
                               env=os.environ | {"PYTHONPATH": str(ROOT)})  # fmt: skip
    assert process.stdout is not None
    assert process.stdout.readline() == "run_started\n"
    began = time.monotonic()
    process.send_signal(signal.SIGTERM)
    assert process.wait(30) == 128 + signal.SIGTERM
    assert said.read_text() == "recorded"
    assert time.monotonic() - began < 10


def test_events_and_noise_on_both_streams_do_not_mix(tmp_path: Path) -> None:
    script = (
        "import sys, threading\n"
        "def noise():\n for n in range(2000): sys.stderr.write('x' * 200 + chr(10))\n"
        "thread = threading.Thread(target=noise); thread.start()\n"
        'for n in range(500): print(\'{"event": "table_started", "table": "raw.t%d"}\' % n, flush=True)\n'
        "thread.join()\n"
    )
    found: list[Event] = []
    log = Log(tmp_path / "log", Redaction(), verbose=False)
    assert follow([sys.executable, "-c", script], os.environ, log, found.append) == 0
    assert found == [TableStarted(table=f"raw.t{number}") for number in range(500)]
    assert set(log.path.read_text().splitlines()) == {"x" * 200}
