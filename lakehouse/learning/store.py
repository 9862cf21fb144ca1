"""Versions of models: their files, measures and what they were trained from, kept by MLflow.

A version is there with all that belongs to it, its verdict too, or not at all: its files are a run's artifacts, which nobody
sees before the version is registered. The champion is the newest version whose verdict was good; the alias ``champion`` says
so to people and to other programs, and is set right by the next run where one died before it did.
"""

import json
import logging
import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Any

from lakehouse.errors import ConfigurationError, DataError, SystemFailureError, one_line
from lakehouse.registry.models import Judged, Measure, Trained
from lakehouse.settings import ModelSettings, Profile

CHAMPION = "champion"
_FILES, _CARD = "files", "card"


@dataclass(frozen=True, kw_only=True)
class Record:
    """What is kept of a training.

    Attributes:
        until: the day at whose beginning what it was judged by ends.
        since: the day from which on it was judged, and before which it was trained.
        inputs: the snapshot of each table that it read, by ``layer.table``.
        definition: a fingerprint of the code that trained it.
        promoted: whether it was better than what was before.
        why: the verdict in words.
    """

    until: date
    since: date
    inputs: Mapping[str, int]
    definition: str
    seed: int
    promoted: bool
    why: str


@dataclass(frozen=True, kw_only=True)
class Version(Record):
    """A version of a model."""

    number: int
    run_id: str
    measures: Mapping[str, Measure]
    baseline: Mapping[str, Measure]


@dataclass(frozen=True, kw_only=True)
class Trial(Record):
    """A training that has ended: what becomes a :class:`Version`."""

    judged: Judged
    files: Trained
    card: Mapping[str, str]


def champion_of(versions: Sequence[Version]) -> Version | None:
    """The version that is in use, among all ``versions`` of a model, newest first."""
    return next((version for version in versions if version.promoted), None)


def model_store(profile: Profile) -> "ModelStore":
    """The store of a profile.

    Raises:
        ConfigurationError: the profile has none.
    """
    if profile.models is None:
        raise ConfigurationError(
            f"profile {profile.name!r} says nothing of `models:`; expected where versions of models are kept.",
            remedy=f"Add `models: {{tracking: 'sqlite:///${{home}}/models.db', artifacts: '${{home}}/models'}}` to "
            f"conf/{profile.name}.yml.",
        )
    return ModelStore(profile.models)


class ModelStore:
    """The versions of all models of a profile."""

    def __init__(self, settings: ModelSettings) -> None:
        self._settings = settings

    def versions(self, name: str) -> list[Version]:
        """All versions of a model, newest first."""
        with self._reported(f"reading the versions of model {name}"):
            found = self._client.search_model_versions(f"name = '{name}'", max_results=1000)
        return sorted((_version(item) for item in found), key=lambda version: -version.number)

    def champion(self, name: str) -> Version | None:
        """The version that is in use."""
        return champion_of(self.versions(name))

    def files(self, name: str, version: Version) -> Trained:
        """What training left.

        Raises:
            DataError: a file is gone.
        """
        return self._read(name, version, _FILES)

    def card(self, name: str, version: Version) -> str:
        """The card of a version, as Markdown."""
        return self._read(name, version, _CARD)["card.md"].decode()

    def add(self, name: str, trial: Trial) -> Version:
        """Keep a trial as the next version; it is the champion from then on where its verdict is good."""
        with self._reported(f"keeping a version of model {name}"), tempfile.TemporaryDirectory() as folder:
            client = self._client
            run = client.create_run(self._experiment(name))
            for part, files in ((_FILES, trial.files), (_CARD, {k: v.encode() for k, v in trial.card.items()})):
                (place := Path(folder) / part).mkdir()
                for file, content in files.items():
                    (place / file).write_bytes(content)
            client.log_artifacts(run.info.run_id, folder)
            for key, measure in trial.judged.measures.items():
                client.log_metric(run.info.run_id, key, measure.value)
            for key, measure in trial.judged.baseline.items():
                client.log_metric(run.info.run_id, f"baseline_{key}", measure.value)
            for key in ("seed", "until", "since", "definition"):
                client.log_param(run.info.run_id, key, str(getattr(trial, key)))
            client.set_terminated(run.info.run_id)
            if not client.search_registered_models(f"name = '{name}'"):
                client.create_registered_model(name)
            source = client.get_run(run.info.run_id).info.artifact_uri
            made = client.create_model_version(
                name, source=source, run_id=run.info.run_id, tags=_tags(trial), description=trial.why
            )
            self.point(name, self.versions(name))
            return _version(client.get_model_version(name, made.version))

    def point(self, name: str, versions: Sequence[Version]) -> None:
        """Have the alias name the champion among all ``versions`` of a model."""
        champion = champion_of(versions)
        if champion is None:
            return
        with self._reported(f"naming the champion of model {name}"):
            aliases = self._client.get_registered_model(name).aliases
            if aliases.get(CHAMPION) != str(champion.number):
                self._client.set_registered_model_alias(name, CHAMPION, str(champion.number))

    def _read(self, name: str, version: Version, part: str) -> dict[str, bytes]:
        found, trouble = dict[str, bytes](), "there are none"
        try:
            with tempfile.TemporaryDirectory() as folder, self._quiet():
                place = Path(self._client.download_artifacts(version.run_id, part, folder))
                found = {file.name: file.read_bytes() for file in sorted(place.iterdir())}
        except Exception as error:  # noqa: BLE001  (each kind of store has errors of its own)
            trouble = f"{type(error).__name__}: {one_line(error, 200)}"
        if not found:
            raise DataError(
                f"reading version {version.number} of model {name}: its files cannot be read ({trouble}); expected them where "
                "they were written. The last scores stay.",
                remedy=f"Restore them from a backup, or train the model anew: jobs/train_model.py --model {name} --anew.",
            )
        return found

    def _experiment(self, name: str) -> str:
        found = self._client.get_experiment_by_name(name)
        if found is not None:
            return str(found.experiment_id)
        place = f"{self._settings.artifacts.rstrip('/')}/{name}" if self._settings.artifacts else None
        return str(self._client.create_experiment(name, artifact_location=place))

    @cached_property
    def _client(self) -> Any:
        os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
        os.environ.setdefault("GIT_PYTHON_REFRESH", "quiet")
        os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
        os.environ.setdefault("MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT", "true")  # where events are
        try:
            from mlflow.tracking import MlflowClient  # noqa: PLC0415  (an extra)
        except ImportError:
            raise ConfigurationError(
                "models: MLflow is not installed; expected the extra `models`.",
                remedy="Run `pip install 'lakehouse[models]'`.",
            ) from None
        uri = self._settings.tracking
        if uri.startswith("sqlite:///"):
            Path(uri.removeprefix("sqlite:///")).parent.mkdir(parents=True, exist_ok=True)
        with self._reported("opening the store of models"):
            return MlflowClient(tracking_uri=uri, registry_uri=uri)

    @contextmanager
    def _reported(self, doing: str) -> Iterator[None]:
        try:
            with self._quiet():
                yield
        except (ConfigurationError, DataError, SystemFailureError):
            raise
        except Exception as error:
            raise SystemFailureError(
                f"{doing}: the store at {self._settings.tracking} failed: {type(error).__name__}: {one_line(error, 300)}",
                remedy="Check `models:` in the profile, and that the store answers.",
            ) from error

    @contextmanager
    def _quiet(self) -> Iterator[None]:
        """Without MLflow's own lines of log, which tell what it does to its tables."""
        loggers = [logging.getLogger(name) for name in ("mlflow", "alembic")]
        levels = [logger.level for logger in loggers]
        for logger in loggers:
            logger.setLevel(logging.ERROR)
        try:
            yield
        finally:
            for logger, level in zip(loggers, levels, strict=True):
                logger.setLevel(level)


def _tags(trial: Trial) -> dict[str, str]:
    return {
        "until": trial.until.isoformat(),
        "since": trial.since.isoformat(),
        "inputs": json.dumps(dict(trial.inputs), sort_keys=True),
        "definition": trial.definition,
        "seed": str(trial.seed),
        "promoted": str(trial.promoted).lower(),
        "why": trial.why,
        "measures": _as_text(trial.judged.measures),
        "baseline": _as_text(trial.judged.baseline),
    }


def _as_text(measures: Mapping[str, Measure]) -> str:
    return json.dumps({name: [item.value, item.low, item.high] for name, item in measures.items()})


def _version(item: Any) -> Version:
    tags = item.tags
    return Version(
        number=int(item.version),
        run_id=item.run_id,
        until=date.fromisoformat(tags["until"]),
        since=date.fromisoformat(tags["since"]),
        inputs={name: int(snapshot) for name, snapshot in json.loads(tags["inputs"]).items()},
        definition=tags["definition"],
        seed=int(tags["seed"]),
        promoted=tags["promoted"] == "true",
        why=tags["why"],
        measures={name: Measure(*values) for name, values in json.loads(tags["measures"]).items()},
        baseline={name: Measure(*values) for name, values in json.loads(tags["baseline"]).items()},
    )
