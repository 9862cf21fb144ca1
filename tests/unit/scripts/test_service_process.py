"""A service's process: known by its number and its beginning, ended only by who started it."""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from lakehouse.errors import ConfigurationError
from scripts.services import process
from scripts.services.control import Services
from scripts.services.minio import MinioUnavailableError, find_or_build
from scripts.services.process import Daemon, Identity, ServiceError, free_ports, wait_until
from scripts.services.settings import HOST, PORTS, Endpoint, Home, port

_LISTENS = (
    "import socket, sys, time\n"
    "server = socket.create_server(('127.0.0.1', int(sys.argv[1])))\n"
    "print('listening', flush=True)\n"
    "time.sleep(600)\n"
)
_IGNORES_TERM = (
    "import signal, time\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\nprint('deaf', flush=True)\ntime.sleep(600)"
)
_SECRETS = {
    "APP_PG_ADMIN_PASSWORD": "a",
    "APP_PG_PASSWORD": "b",
    "CATALOG_PG_PASSWORD": "c",
    "CASSANDRA_PASSWORD": "d",
    "MINIO_ROOT_USER": "e",
    "MINIO_ROOT_PASSWORD": "f",
}


@pytest.fixture
def free_port() -> int:
    return free_ports(HOST, 1)[0]


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[Daemon]:
    daemon = Daemon("example", tmp_path)
    yield daemon
    daemon.stop(timeout_s=5)


def _python(code: str, *arguments: str) -> list[str]:
    return [sys.executable, "-c", code, *arguments]


def test_a_daemon_outlives_its_starter_in_a_session_of_its_own(daemon: Daemon, free_port: int) -> None:
    daemon.start(_python(_LISTENS, str(free_port)))
    daemon.wait_ready(lambda: process.port_taken(HOST, free_port), 20)
    identity = daemon.identity()
    assert identity is not None
    assert os.getsid(identity.pid) == identity.pid != os.getsid(0)


def test_stopping_frees_the_port_and_removes_the_pid_file(daemon: Daemon, free_port: int, tmp_path: Path) -> None:
    daemon.start(_python(_LISTENS, str(free_port)))
    daemon.wait_ready(lambda: process.port_taken(HOST, free_port), 20)
    assert daemon.stop()
    assert not process.port_taken(HOST, free_port)
    assert not (tmp_path / "service.pid").exists()
    assert not daemon.stop(), "a second stop finds nothing to end"


def test_a_process_that_ignores_sigterm_is_killed_after_the_time_out(daemon: Daemon) -> None:
    daemon.start(_python(_IGNORES_TERM))
    daemon.wait_ready(lambda: "deaf" in daemon.log.read_text(), 20)
    identity = daemon.identity()
    assert identity is not None
    assert daemon.stop(timeout_s=0.5)
    assert not identity.alive()


def test_a_process_that_got_the_number_of_a_service_is_left_alone(daemon: Daemon, tmp_path: Path) -> None:
    with subprocess.Popen(_python("input()"), stdin=subprocess.PIPE) as stranger:
        (tmp_path / "service.pid").write_text(json.dumps({"pid": stranger.pid, "began": "1"}))
        assert daemon.identity() is None
        assert not daemon.stop()
        assert stranger.poll() is None, "the stranger still runs"
        stranger.send_signal(signal.SIGKILL)


def test_the_beginning_of_a_process_stays_the_same() -> None:
    own = Identity.of(os.getpid())
    assert own is not None
    assert own.alive()
    assert own != Identity(own.pid, own.began + "0")


def test_a_process_is_known_by_ps_where_there_is_no_proc(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(process, "_PROC", tmp_path)
    own = Identity.of(os.getpid())
    assert own is not None
    assert own.alive()
    assert Identity.of(2**22 + 1) is None


def test_a_service_that_ends_while_it_starts_shows_the_end_of_its_log(daemon: Daemon) -> None:
    daemon.start(_python("import sys; sys.exit('no space left')"))
    with pytest.raises(ServiceError, match=r"(?s)starting example: it ended .*no space left.*service\.log"):
        daemon.wait_ready(lambda: False, 20)


def test_a_service_that_is_not_ready_in_time_says_what_to_do(daemon: Daemon) -> None:
    daemon.start(_python("import time; time.sleep(600)"))
    with pytest.raises(
        ServiceError, match=r"until example is ready: not within 0\.3 s\. Start it again .*service\.log"
    ):
        daemon.wait_ready(lambda: False, 0.3)


def test_waiting_ends_as_soon_as_the_condition_holds() -> None:
    answers = iter([False, False, True])
    wait_until(lambda: next(answers), 20, "counting")


def test_a_taken_port_is_named_with_its_service_and_its_variable(tmp_path: Path) -> None:
    with socket.create_server((HOST, 0)) as other:
        number = other.getsockname()[1]
        services = Services(Home(tmp_path), _SECRETS, ports={"cassandra": number})
        with pytest.raises(ServiceError) as raised:
            services.start("cassandra")
    assert str(raised.value) == (
        f"port {number} of cassandra is taken by another program; end it, or set LAKEHOUSE_CASSANDRA_PORT to a free port."
    )


def test_nothing_starts_when_one_of_several_ports_is_taken(tmp_path: Path, free_port: int) -> None:
    with socket.create_server((HOST, 0)) as other:
        services = Services(Home(tmp_path), _SECRETS, {"postgres": free_port, "cassandra": other.getsockname()[1]})
        with pytest.raises(ServiceError, match="of cassandra is taken"):
            services.start("postgres", "cassandra")
        assert not services.running("postgres")


def test_an_unknown_service_is_refused_with_the_ones_there_are(tmp_path: Path) -> None:
    services = Services(Home(tmp_path), _SECRETS)
    for action in (services.start, services.stop):
        with pytest.raises(ServiceError, match=r"no service 'nope'\. The services: postgres, .*rest_catalog"):
            action("nope")


@pytest.mark.parametrize("service", list(PORTS))
def test_a_port_comes_from_the_caller_else_the_environment_else_the_default(
    service: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    default, variable = PORTS[service]
    monkeypatch.delenv(variable, raising=False)
    assert port(service) == default
    monkeypatch.setenv(variable, "4711")
    assert port(service) == 4711
    assert port(service, {service: 4712}) == 4712


@pytest.mark.parametrize("text", ["abc", "0", "65536", "-1", "1e3"])
def test_a_variable_without_a_port_number_is_named(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAKEHOUSE_PG_PORT", text)
    with pytest.raises(ConfigurationError, match=rf"LAKEHOUSE_PG_PORT is '{text}'.* 1 to 65535 .*unset it for 15432"):
        port("postgres")


def test_services_tell_where_they_listen(tmp_path: Path) -> None:
    services = Services(Home(tmp_path), _SECRETS, ports={"minio": 4713})
    assert services.endpoint("minio") == Endpoint(HOST, 4713)
    assert str(services.endpoint("minio")) == "127.0.0.1:4713"


def test_without_minio_and_without_go_the_reason_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("LAKEHOUSE_CACHE", str(tmp_path / "cache"))
    with pytest.raises(
        MinioUnavailableError, match=r"no `minio` on the path, and no Go to build it with\. Install either"
    ):
        find_or_build()
