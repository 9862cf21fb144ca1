"""Profiles: where the lakehouse runs. One file a profile in ``conf/``; secrets come from the environment.

The project is the folder with ``conf/`` and ``registry/``: ``LAKEHOUSE_ROOT``, else the nearest one from the current
folder upwards, else the checkout that the engine runs from.

In any value of a profile ``${NAME}`` is the environment variable ``NAME`` and ``${NAME:-default}`` has a default;
``${root}`` is the project's folder and ``${home}`` the one for data on this machine (``LAKEHOUSE_HOME``, else
``.lakehouse`` in the root). A ``.env`` file in the root is read too; the environment goes before it.
"""

import importlib
import os
import pkgutil
import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, Union

from dotenv import dotenv_values
from pydantic import BaseModel, Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from lakehouse import yaml_file
from lakehouse.errors import ConfigurationError
from lakehouse.model import SourceSettings, Strict
from lakehouse.paths import CATALOG

_VARIABLE = re.compile(r"\$\{(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?::-(?P<default>[^}]*))?\}")
_SECRET_KEY = re.compile(r"secret|password|token|credential|access-key", re.IGNORECASE)


def _kinds() -> dict[str, type[SourceSettings]]:
    """The model of each kind of source: ``Settings`` in ``sources/<kind>/settings.py``. A new kind is one folder more."""
    folder = str(Path(__file__).parent / "sources")  # of a zip on the executors of a cluster
    names = sorted(module.name for module in pkgutil.iter_modules([folder]) if module.ispkg)
    return {name: importlib.import_module(f"lakehouse.sources.{name}.settings").Settings for name in names}


if TYPE_CHECKING:
    Source = SourceSettings
else:
    Source = Annotated[Union[tuple(_kinds().values())], Field(discriminator="type")]  # noqa: UP007  (of a tuple)


class SparkSettings(Strict):
    """How Spark applications of this profile are started."""

    master: str = "local[*]"
    conf: dict[str, str] = Field(default_factory=dict)


class FileLock(Strict):
    """One run at a time, by a lock on a file: for a warehouse that one machine writes."""

    type: Literal["file"]
    path: Path


class PostgresLock(Strict):
    """One run at a time, by an advisory lock of a PostgreSQL server that every machine reaches."""

    type: Literal["postgres"]
    host: str
    port: int = 5432
    database: str
    user: str
    password: SecretStr


Lock = Annotated[FileLock | PostgresLock, Field(discriminator="type")]


class ModelSettings(Strict):
    """Where versions of models are kept.

    Attributes:
        tracking: MLflow's store: ``sqlite:///<file>``, or the address of its server. Who may come in there, MLflow takes from
            its own environment variables (``MLFLOW_TRACKING_TOKEN`` and the like).
        artifacts: the folder, or the prefix of an object store, for their files; absent: where the server says.
        serving_token: what a request for a ranking must bear (``lakehouse serve-ranking``); an empty one is none.
    """

    tracking: str
    artifacts: str | None = None
    serving_token: SecretStr | None = None

    @field_validator("serving_token", mode="before")
    @classmethod
    def _empty_is_none(cls, value: Any) -> Any:
        return None if isinstance(value, str) and not value.strip() else value

    @field_validator("tracking")
    @classmethod
    def _without_secret(cls, value: str) -> str:
        if "@" in value:
            raise ValueError("it holds a user or a password; expected them in MLFLOW_TRACKING_USERNAME and _PASSWORD")
        return value


class Profile(Strict):
    """All that a job needs to know of where it runs.

    Attributes:
        name: the profile's file name without its suffix.
        root: the folder that holds ``conf/``.
        registry: the folder of the registry.
        catalog: properties of the Iceberg catalog, as Iceberg names them; those that hold secrets are ``SecretStr``.
        parameters: what transformers may be given by name (``reporting_currency``).
        analytics: the DuckDB file that each successful run replaces.
        pseudonym_key: the key of pseudonyms (HMAC-SHA-256).
        models: where versions of models are kept; absent: there are none.
    """

    name: str
    root: Path
    registry: Path
    catalog: dict[str, str | SecretStr]
    analytics: Path
    lock: Lock
    pseudonym_key: SecretStr | None = None
    spark: SparkSettings = SparkSettings()
    sources: dict[str, Source] = Field(default_factory=dict)
    parameters: dict[str, str] = Field(default_factory=dict)
    models: ModelSettings | None = None

    @field_validator("catalog", mode="before")
    @classmethod
    def _hide_secrets(cls, value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        return {key: SecretStr(str(text)) if _SECRET_KEY.search(str(key)) else str(text) for key, text in value.items()}

    def catalog_properties(self) -> dict[str, str]:
        """The catalog's properties in the clear, for the engines that connect with them. Never log them."""
        return {
            key: value.get_secret_value() if isinstance(value, SecretStr) else value
            for key, value in self.catalog.items()
        }

    def spark_conf(self) -> dict[str, str]:
        """What a Spark session of this profile is configured with, catalog included."""
        prefix = f"spark.sql.catalog.{CATALOG}"
        conf = {prefix: "org.apache.iceberg.spark.SparkCatalog", f"{prefix}.cache-enabled": "false"}
        conf.update({f"{prefix}.{key}": value for key, value in self.catalog_properties().items()})
        return conf | self.spark.conf

    def key_of_pseudonyms(self) -> bytes | None:
        """The key of pseudonyms in the clear, in UTF-8; ``None`` where the profile has none. Never log it."""
        return self.pseudonym_key.get_secret_value().encode() if self.pseudonym_key else None

    def source(self, name: str) -> SourceSettings:
        """The source of that name; :class:`ConfigurationError` lists those that are there."""
        try:
            return self.sources[name]
        except KeyError:
            raise ConfigurationError(
                f"profile {self.name!r} has no source {name!r}; it has: {', '.join(sorted(self.sources)) or 'none'}.",
                remedy=f"Add it under `sources:` in conf/{self.name}.yml.",
            ) from None

    def secrets(self) -> list[str]:
        """Every secret value of the profile, for the redaction of logs."""
        return [secret.get_secret_value() for secret in _secrets_in(self)]


class Environment(BaseSettings):
    """What the environment may set for every command: ``LAKEHOUSE_PROFILE``, ``_ROOT``, ``_HOME``, ``_REGISTRY``."""

    model_config = SettingsConfigDict(env_prefix="LAKEHOUSE_", extra="ignore")

    profile: str = "embedded"
    root: Path | None = None
    home: Path | None = None
    registry: Path | None = None

    def project(self) -> Path:
        """The project's folder: the one that ``LAKEHOUSE_ROOT`` names, else :func:`nearest_project`.

        Raises:
            ConfigurationError: ``LAKEHOUSE_ROOT`` is not set, and there is no project.
        """
        return self.root.resolve() if self.root is not None else nearest_project(Path.cwd())


def nearest_project(start: Path) -> Path:
    """The nearest folder from ``start`` upwards that holds ``conf/*.yml`` and ``registry/``, else the engine's checkout.

    Raises:
        ConfigurationError: there is none, and the engine does not run from a checkout.
    """
    for folder in (start, *start.parents, Path(__file__).resolve().parents[1]):
        if (folder / "registry").is_dir() and any((folder / "conf").glob("*.yml")):
            return folder.resolve()
    raise ConfigurationError(
        f"looking for the project: neither {start} nor a folder above it holds conf/*.yml and registry/.",
        remedy="Make one with `lakehouse init my_lake`, change into it, or set LAKEHOUSE_ROOT to it.",
    )


def load_profile(name: str | None = None) -> Profile:
    """The profile of that name (by default ``LAKEHOUSE_PROFILE``, else ``embedded``).

    Raises:
        ConfigurationError: no project, no such profile, a mistake in its file, or an environment variable that is not
            set.
    """
    environment = Environment()
    name = name or environment.profile
    root = environment.project()
    path = root / "conf" / f"{name}.yml"
    if not re.fullmatch(r"[A-Za-z0-9_-]+", name) or not path.exists():
        known = ", ".join(sorted(file.stem for file in (root / "conf").glob("*.yml")))
        raise ConfigurationError(f"there is no profile {name!r} in {root / 'conf'}; the profiles are: {known}.")
    home = (environment.home or root / ".lakehouse").resolve()
    content = _interpolate(yaml_file.read(path), path, {"root": str(root), "home": str(home)})
    content = {"name": name, "root": root, "registry": root / "registry", **content}
    if environment.registry is not None:
        content["registry"] = environment.registry.resolve()
    return yaml_file.validate(Profile, content, path)


def _interpolate(content: Any, path: Path, folders: dict[str, str]) -> Any:
    """``content`` with variables replaced; a :class:`ConfigurationError` names all that are missing."""
    dotenv = Path(folders["root"]) / ".env"
    variables = {name: value for name, value in dotenv_values(dotenv).items() if value is not None}
    variables |= os.environ | folders
    missing: dict[str, str] = {}

    def value_of(match: re.Match[str], where: str) -> str:
        name, default = match["name"], match["default"]
        value = variables.get(name) or default
        if value is None:
            missing.setdefault(name, where)
            return ""
        return value

    def walk(node: Any, where: str) -> Any:
        if isinstance(node, dict):
            return {key: walk(value, f"{where}.{key}".lstrip(".")) for key, value in node.items()}
        if isinstance(node, list):
            return [walk(value, where) for value in node]
        return _VARIABLE.sub(lambda match: value_of(match, where), node) if isinstance(node, str) else node

    result = walk(content, "")
    if missing:
        wanted = ", ".join(f"{name} (for {where})" for name, where in sorted(missing.items()))
        raise ConfigurationError(
            f"{path}: environment variables that are not set: {wanted}.",
            remedy=f"Export them, or write them to {dotenv}.",
        )
    return result


def _secrets_in(node: Any) -> list[SecretStr]:
    if isinstance(node, SecretStr):
        return [node]
    if isinstance(node, BaseModel):
        return [secret for name in type(node).model_fields for secret in _secrets_in(getattr(node, name))]
    if isinstance(node, dict):
        return [secret for value in node.values() for secret in _secrets_in(value)]
    return []
