"""A server of rankings: from a profile to a process that answers until it is told to end."""

import gc
import importlib.util
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

import structlog
import uvicorn

from lakehouse.errors import ConfigurationError, one_line, suggest
from lakehouse.learning.store import model_store
from lakehouse.logs import Redaction
from lakehouse.registry import loader
from lakehouse.registry.models import Model
from lakehouse.serving.app import make_app
from lakehouse.serving.asked import Token
from lakehouse.serving.champion import Champion
from lakehouse.serving.metrics import Metrics
from lakehouse.settings import Profile

log = structlog.get_logger()
_LAST_ANSWERS_S = 30
_IDLE_S = 75  # a connection that is closed sooner may be closed while its next request is on the way
_WAITING_CONNECTIONS = 1024


class Server:
    """Answers on a socket that listens already."""

    def __init__(self, champion: Champion, token: Token, metrics: Metrics) -> None:
        self._champion = champion
        self._uvicorn = uvicorn.Server(
            uvicorn.Config(
                make_app(champion, token, metrics),
                lifespan="off",
                log_config=None,
                access_log=False,
                server_header=False,
                backlog=_WAITING_CONNECTIONS,
                timeout_keep_alive=_IDLE_S,
                timeout_graceful_shutdown=_LAST_ANSWERS_S,
            )
        )

    def run(self, listening: socket.socket, reload_s: float) -> None:
        """Answer until :meth:`stop` is called or a signal comes; requests under way are answered then, too.

        The socket is closed in the end.
        """
        with listening, self._champion.kept_up(reload_s):
            self._uvicorn.run(sockets=[listening])

    def stop(self) -> None:
        """Have :meth:`run` return; it may be called by any thread, and before :meth:`run`."""
        self._uvicorn.should_exit = True


def serve(profile: Profile, name: str | None, host: str, port: int, reload_s: float) -> None:
    """Answer rankings from the champion of model ``name``, or of the only one that can rank, until SIGTERM or SIGINT.

    Raises:
        ConfigurationError: the profile has no token or no store, there is no such model, it cannot rank, or nothing can
            listen at ``host`` and ``port``. Nothing has listened then.
    """
    token = token_of(profile)
    model = _model(profile, name)
    metrics = Metrics()
    champion = Champion(model, model_store(profile), metrics, Redaction(profile.secrets()))
    if importlib.util.find_spec("mlflow") is None:
        raise ConfigurationError(
            "models: MLflow is not installed; expected the extra `models`.",
            remedy="Run `pip install 'lakehouse[models]'`.",
        )
    champion.look()
    # What was imported and loaded stays: looking through all of it for garbage would hold requests up for 0.2 s.
    gc.collect()
    gc.freeze()
    server = Server(champion, token, metrics)
    with listener(host, port) as listening, _ended_by_signals(server):
        address = f"http://{host}:{listening.getsockname()[1]}"
        log.info(
            "serving", model=model.name, address=address, version=champion.now.version.number if champion.now else None
        )
        server.run(listening, reload_s)
    log.info("ended", model=model.name)


def token_of(profile: Profile) -> Token:
    """The token that requests must bear.

    Raises:
        ConfigurationError: the profile has none, or one that no header can bear.
    """
    secret = profile.models.serving_token if profile.models else None
    if secret is None:
        raise ConfigurationError(
            f"serving: profile {profile.name!r} has no token; expected one that requests must bear.",
            remedy=f"Add `serving_token: ${{LAKEHOUSE_SERVING_TOKEN:-}}` under `models:` in conf/{profile.name}.yml, and set "
            "LAKEHOUSE_SERVING_TOKEN, for example to what `openssl rand -hex 32` prints.",
        )
    text = secret.get_secret_value()
    if not (text.isascii() and text.isprintable()) or " " in text:
        raise ConfigurationError(
            f"serving: the token of profile {profile.name!r} holds blanks or letters that no header can bear; expected "
            "printable ASCII.",
            remedy="Set models.serving_token to another one, for example to what `openssl rand -hex 32` prints.",
        )
    return Token(secret)


def listener(host: str, port: int) -> socket.socket:
    """A socket that listens; ``port`` 0 is one that is free.

    Raises:
        ConfigurationError: it cannot.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listening = socket.create_server((host, port), family=family, backlog=_WAITING_CONNECTIONS)
    except OSError as error:
        raise ConfigurationError(
            f"serving: nothing can listen at {host} port {port}: {one_line(error)}; expected a free port of this machine.",
            remedy="Choose another one by --host and --port.",
        ) from None
    # Its connections inherit it. asyncio sets it for none that comes by such a socket, and an answer then waits 40 ms for
    # the client's acknowledgement of its head.
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listening


def _model(profile: Profile, name: str | None) -> Model:
    models = loader.load(profile.registry).models
    if name is None:
        able = [found for found in models.values() if hasattr(found.learner, "ranks")]
        if len(able) != 1:
            raise ConfigurationError(
                f"serving: {len(able)} models of the registry can rank; expected one where none is named.",
                remedy=f"Name it by --model: {', '.join(found.name for found in able) or 'none can'}.",
            )
        return able[0]
    if name not in models:
        raise ConfigurationError(
            f"serving: the registry has no model {name!r}; expected one of its models. {suggest(name, list(models))}",
            remedy="Name it by --model.",
        )
    return models[name]


@contextmanager
def _ended_by_signals(server: Server) -> Iterator[None]:
    """SIGTERM and SIGINT end ``server`` and not the process: before uvicorn hears them, and when it passes them on."""

    def end(_number: int, _frame: FrameType | None) -> None:
        server.stop()

    before = {number: signal.signal(number, end) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
