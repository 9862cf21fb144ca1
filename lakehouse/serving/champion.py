"""The champion of a model, held in memory and changed while requests are answered."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Protocol

import structlog

from lakehouse.errors import ConfigurationError, LakehouseError, one_line
from lakehouse.learning.store import Version
from lakehouse.logs import Redaction
from lakehouse.registry.models import Model, Ranks, Trained
from lakehouse.serving.metrics import Metrics

log = structlog.get_logger()
_LONGEST_LOOK_S = 10.0


class Store(Protocol):
    """Where versions are kept; see :class:`lakehouse.learning.store.ModelStore`."""

    def champion(self, name: str) -> Version | None: ...

    def files(self, name: str, version: Version) -> Trained: ...


@dataclass(frozen=True)
class Loaded:
    """A version that answers, whole: a request takes one of these and uses nothing else."""

    version: Version
    ranks: Ranks
    loaded_at: datetime

    @property
    def as_of(self) -> date:
        """The day (UTC) at whose beginning what it learnt from ends."""
        return self.version.since


class Champion:
    """Which version of a model is in use. :attr:`now` is replaced as a whole, by one assignment.

    Attributes:
        now: the version that answers; ``None``: none yet.
        trouble: why the last look at the store did not end with its champion in use; ``None``: it did, or there is none.
    """

    def __init__(self, model: Model, store: Store, metrics: Metrics, redaction: Redaction | None = None) -> None:
        """
        Raises:
            ConfigurationError: the model's learner cannot rank.
        """
        self.model = model.name
        self.now: Loaded | None = None
        self.trouble: str | None = None
        self._ranks = _ranks_of(model)
        self._store = store
        self._metrics = metrics
        self._redaction = redaction or Redaction()
        self._told: set[tuple[int, str] | None] = set()

    def look(self) -> None:
        """Ask the store for the champion, and put it into use when it is another one; what fails leaves the old one."""
        try:
            version = self._store.champion(self.model)
        except Exception as error:  # noqa: BLE001  (whatever the store's client raises, requests are answered on)
            self._failed(None, f"the champion of model {self.model} cannot be asked for", error)
            return
        self._told.discard(None)
        now = self.now
        if version is None:
            self.trouble = f"model {self.model} has no champion any more; the last one stays in use" if now else None
        elif now is None or _key(now.version) != _key(version):
            self._load(version)
        else:
            self.trouble = None

    @contextmanager
    def kept_up(self, every_s: float) -> Iterator[None]:
        """Look each ``every_s`` seconds meanwhile, in a thread that is ended with the block."""
        ended = threading.Event()

        def watch() -> None:
            while not ended.wait(every_s):
                self.look()

        thread = threading.Thread(target=watch, name=f"champion of {self.model}", daemon=True)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join(_LONGEST_LOOK_S)

    def _load(self, version: Version) -> None:
        try:
            ranks = self._ranks(self._store.files(self.model, version))
        except Exception as error:  # noqa: BLE001  (whatever a learner raises, requests are answered on)
            self._failed(_key(version), f"version {version.number} of model {self.model} cannot be loaded", error)
            return
        self.now = Loaded(version, ranks, datetime.now(UTC))
        self.trouble = None
        self._metrics.loaded(version.number)
        log.info("champion in use", model=self.model, version=version.number)

    def _failed(self, about: tuple[int, str] | None, what: str, error: Exception) -> None:
        kind = "" if isinstance(error, LakehouseError) else f"{type(error).__name__}: "
        self.trouble = self._redaction.text(f"{what}: {kind}{one_line(error, 500)}")
        self._metrics.failed()
        if about not in self._told:
            self._told.add(about)
            in_use = self.now.version.number if self.now else None
            log.warning("champion not loaded", model=self.model, in_use=in_use, reason=self.trouble)


def _key(version: Version) -> tuple[int, str]:
    """What tells a version from one that was deleted and whose number was given again."""
    return version.number, version.run_id


def _ranks_of(model: Model) -> Callable[[Trained], Ranks]:
    found: Callable[[Trained], Ranks] | None = getattr(model.learner, "ranks", None)
    if not callable(found):
        raise ConfigurationError(
            f"serving model {model.name!r}: its class {type(model.learner).__name__} has no method `ranks`; expected a model "
            "that can put candidates in order.",
            remedy="Name another model by --model, or give the class `def ranks(self, trained)`.",
        )
    return found
