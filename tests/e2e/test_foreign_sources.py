"""A registry of YAML alone takes four sources that nobody here has seen, through three days of changes.

All is done as a stranger does it: ``lakehouse init``, a profile, ``lakehouse new`` for each table, the files that it wrote
edited, and then ``lakehouse run`` and ``lakehouse sql``. After each day every row and column of silver is what plain Python
says of the sources (``foreign/``).
"""

import json
import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import pyarrow.parquet as pq
import pytest

from lakehouse.jars import cache_folder
from scripts.services.control import Services
from scripts.services.documents import Documents
from scripts.services.kafka import Kafka
from tests.conftest import ROOT
from tests.e2e.foreign.common import Truth
from tests.e2e.foreign.loans import Loans
from tests.e2e.foreign.parking import Parking
from tests.e2e.foreign.survey import Survey, served
from tests.e2e.foreign.weather import Weather
from tests.integration.kafka_topics import Broker
from tests.jvm import COMPILE_FAST

_TOPIC = "parking.bays"
_PROFILE = """
sources:
  stations: {{type: files, root: {files}}}
  library: {{type: documents, hosts: ["{documents.host}"], port: {documents.port}, database: library}}
  carpark: {{type: kafka, bootstrap_servers: ["{kafka}"]}}
  survey: {{type: rest, url: "{api}", token: "${{SURVEY_TOKEN}}"}}
"""
#: The relation of each table, and its key in the lake.
_TABLES = {
    "readings": ("stations", "*/*/*/*", ("station", "seen")),
    "loans": ("library", "loans", ("loan_id",)),
    "bays": ("carpark", _TOPIC, ("bay",)),
    "replies": ("survey", "replies?wave=spring", ("reply_id",)),
}


class ForeignSource(Protocol):
    """What the test asks of each source."""

    def play(self, day: int) -> None:
        """Change the source as it does on the day."""

    def truth(self) -> Truth:
        """The rows that silver should hold, and what should stand in quarantine."""


@dataclass(frozen=True)
class Project:
    """A stranger's project, and the commands in it."""

    folder: Path
    env: dict[str, str]

    def lakehouse(self, *arguments: str) -> str:
        """What a command prints; it must end well."""
        command = [str(ROOT / ".venv" / "bin" / "lakehouse"), *arguments]
        done = subprocess.run(command, cwd=self.folder, env=self.env, capture_output=True, text=True, check=False)
        assert done.returncode == 0, (
            f"{arguments}: exit {done.returncode}\n{done.stdout[-6000:]}\n{done.stderr[-6000:]}"
        )
        return done.stdout

    def registry_file(self, table: str) -> Path:
        return self.folder / "registry_of_yaml" / "town" / f"{table}.yml"

    def edit(self, table: str, *edits: tuple[str, str]) -> None:
        """Replace what stands in a registry file; each text must be there, once."""
        path = self.registry_file(table)
        text = path.read_text()
        for old, new in edits:
            assert text.count(old) == 1, f"{old!r} is not once in\n{text}"
            text = text.replace(old, new)
        path.write_text(text)

    def rows(self, query: str) -> list[dict[str, Any]]:
        answer = self.folder / "answer.parquet"
        self.lakehouse("sql", query, "--output", str(answer))
        found: list[dict[str, Any]] = pq.read_table(answer).to_pylist()
        return found


@pytest.fixture
def survey() -> Survey:
    return Survey()


@pytest.fixture
def project(
    survey: Survey, services: Services, documents_service: Documents, kafka_service: Kafka, tmp_path: Path
) -> Iterator[Project]:
    """A project as ``lakehouse init`` makes it, with a profile that knows the four sources, and an empty registry."""
    others = {name: value for name, value in os.environ.items() if not name.startswith("LAKEHOUSE_")}
    folder = tmp_path / "town"
    env = others | {
        "PYTHONPATH": str(ROOT),
        "SPARK_SUBMIT_OPTS": COMPILE_FAST,
        "LAKEHOUSE_CACHE": str(cache_folder()),
        "LAKEHOUSE_PROFILE": "town",
        "LAKEHOUSE_REGISTRY": str(folder / "registry_of_yaml"),
        "SURVEY_TOKEN": Survey.TOKEN,
    }
    made = Project(tmp_path, env)
    made.lakehouse("init", "town")
    with served(survey) as api:
        begins, _, _ = (folder / "conf" / "embedded.yml").read_text().partition("# Where tables come from")
        sources = _PROFILE.format(
            files=tmp_path / "inbox",
            documents=services.endpoint("documents"),
            kafka=kafka_service.bootstrap_servers,
            api=api,
        )
        (folder / "conf" / "town.yml").write_text(begins + sources)
        yield Project(folder, env)


@pytest.fixture
def sources(
    survey: Survey, documents_service: Documents, kafka_service: Kafka, tmp_path: Path
) -> Iterator[dict[str, ForeignSource]]:
    """The four sources, by the table that each becomes."""
    broker = Broker(kafka_service)
    broker.make(_TOPIC, 3)
    with documents_service.client() as client:
        yield {
            "readings": Weather(tmp_path / "inbox"),
            "loans": Loans(client.library.loans),
            "bays": Parking(kafka_service.bootstrap_servers, _TOPIC),
            "replies": survey,
        }
        client.drop_database("library")
    broker.remove(_TOPIC)


def register(project: Project) -> None:
    """Let the command write each registry file, and edit it as a person would who has looked at it."""
    for table, (source, relation, _) in _TABLES.items():
        project.lakehouse("new", table, "--source", source, "--relation", relation, "--domain", "town")
    project.edit(
        "readings",
        (
            "relation: '*/*/*/*'}",
            """relation: '*/*/*/*', options: {delimiter: ";", null: "-"}}\nkey: [station, seen]""",
        ),
        ("station: {}", "station: {trim: true}"),
        ("formats: [iso8601", 'formats: ["dd.MM.yyyy HH:mm", iso8601'),
        ("temp: {type: 'decimal(18,2)'}", "temp: {type: 'decimal(5,2)', trim: true}"),
        ("wind: {}", "wind: {type: int}"),
        ("  hw_on: {source: hw.on, type: boolean} # by some of its values\n", ""),
        ("  note: {}", "  remark: {}"),
    )
    project.edit(
        "loans",
        ("relation: loans}", "relation: loans, options: {cursor_type: timestamp}}"),
        ("key: [_id]", "key: [loan_id]\ncursor: changed\noverlap: 8 hours"),
        ("  _id: {}", "  loan_id: {source: _id}"),
        ("due: {type: timestamp}", "due: {type: timestamp, formats: [iso8601]}"),
        ("fine: {}", "fine: {type: 'decimal(6,2)'}"),
        ("changed: {}", "changed: {type: timestamp}"),
    )
    project.edit(
        "bays",
        (
            "schema: '7=schemas/parking.bays.avsc'}}",
            "schema: '7=schemas/parking.bays.avsc', key_field: bay}}\n"
            "key: [bay]\n"
            'checks: [{name: volts_sane, expect: "sensor_volts BETWEEN 0 AND 5"}]',
        ),
        (
            "columns:\n",
            "columns:\n  bay: {}\n  state: {}\n  since: {type: timestamp}\n  day: {type: date}\n"
            "  tariff: {type: 'decimal(6,2)'}\n  sensor_id: {source: sensor.id}\n"
            "  sensor_volts: {source: sensor.volts, type: double}\n  labels: {}\n",
        ),
    )
    schema = project.folder / "schemas" / "parking.bays.avsc"
    schema.parent.mkdir()
    schema.write_text(json.dumps(Parking.SCHEMA))
    project.edit(
        "replies",
        (
            "{records: payload.replies, total: paging.all}",
            "{records: payload.replies, total: paging.all, paging: offset, parameter: skip,\n"
            "  size: 25, size_parameter: take,\n"
            "  since: editedSince, since_format: epoch_ms, cursor_type: timestamp}",
        ),
        ("key: [reply_id]", "key: [reply_id]\ncursor: edited\noverlap: 8 hours"),
        ("edited: {type: bigint}", "edited: {type: timestamp, formats: [iso8601, epoch_ms]}"),
    )
    kinds = {path.suffix for path in (project.folder / "registry_of_yaml").rglob("*") if path.is_file()}
    assert kinds == {".yml"}


def compare(project: Project, table: str, source: ForeignSource, day: int) -> None:
    """Silver holds what the source does, row by row and column by column, and quarantine as many rows as it should."""
    rows, rejected = source.truth()
    key = _TABLES[table][2]
    found, counted = {}, 0
    for row in project.rows(f"SELECT *, (SELECT count(*) FROM quarantine.{table}) AS counted FROM silver.{table}"):
        counted = row.pop("counted")
        for name in ("source_version", "source_order"):  # size and time of a file, and what orders arrivals
            row.pop(name, None)
        for name in {"other_fields", "labels"} & row.keys():
            row[name] = row[name] and json.loads(row[name])
        found[tuple(row[name] for name in key)] = row
    expected = {tuple(row[name] for name in key): row for row in rows.values()}
    differ = sorted((one for one in found.keys() | expected.keys() if found.get(one) != expected.get(one)), key=str)
    assert not differ, f"day {day}, {table}:\n" + "\n".join(
        f"{one}\n  found    {found.get(one)}\n  expected {expected.get(one)}" for one in differ
    )
    assert counted == len(rejected), (day, table, rejected, project.rows(f"FROM quarantine.{table}"))


def test_four_foreign_sources_by_yaml_alone(
    project: Project, sources: dict[str, ForeignSource], survey: Survey
) -> None:
    for day in (1, 2, 3):
        for source in sources.values():
            source.play(day)
        if day == 1:
            register(project)
        survey.asked.clear()
        project.lakehouse("run")
        assert (survey.faults, survey.between) == ([], [])  # it was busy, broke and moved its pages, as was planned
        assert day == 1 or any("editedSince" in asked for asked in survey.asked)
        for table, source in sources.items():
            compare(project, table, source, day)
    again = [json.loads(line) for line in project.lakehouse("run", "--json").splitlines() if line.startswith("{")]
    assert {event["status"] for event in again if event["event"] == "table"} == {"unchanged"}
