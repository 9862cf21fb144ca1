"""Runs over each kind of source to which rows come or in which they change, killed by signals at random points, ten times, and
run again: nothing lost, nothing twice, by count and by content.

The document server and the API are fakes (see there); Kafka is a broker, and the files are files.
"""

import json
import shutil
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

import pytest
from pymongo.collection import Collection

from scripts.services.control import Services
from scripts.services.documents import Documents
from scripts.services.kafka import Kafka
from tests.conftest import ROOT
from tests.e2e.conftest import Sandbox
from tests.fake_api import FakeApi, served
from tests.integration.kafka_topics import Broker

pytestmark = pytest.mark.timeout(900)
KILLS, MANY = 10, 3_000
_TABLES = ("of_files", "of_messages", "of_documents", "of_answers")
#: The columns by which a row of raw is known: one that came twice would be there twice.
_ONCE = {
    "of_files": "source_file, source_line",
    "of_messages": "source_partition, source_offset",
    "of_documents": "id, version, _op",
    "of_answers": "id, version, _op",
}
_PROFILE = """
catalog:
  type: jdbc
  uri: jdbc:sqlite:${{home}}/catalog.db?busy_timeout=30000
  jdbc.schema-version: V1
  warehouse: ${{home}}/warehouse
analytics: ${{home}}/analytics.duckdb
lock: {{type: file, path: "${{home}}/run.lock"}}
spark:
  master: local[*]
  conf: {{spark.driver.host: 127.0.0.1, spark.driver.bindAddress: 127.0.0.1}}
sources:
  folder: {{type: files, root: "${{home}}/landing"}}
  broker: {{type: kafka, bootstrap_servers: ["{servers}"]}}
  collections: {{type: documents, hosts: [127.0.0.1], port: {port}, database: killed, batch_size: 500}}
  api: {{type: rest, url: "{url}"}}
"""
_REGISTRY = {
    "of_files": "source: {connection: folder, relation: '*.jsonl'}\nload: arrivals\nkey: [id]\n",
    "of_messages": "source: {connection: broker, relation: killed, options: {key_field: id}}\nload: arrivals\nkey: [id]\n",
    "of_documents": "source: {connection: collections, relation: things, options: {cursor_type: bigint}}\ncursor: version\n"
    "deletes: {max_share: 1}\n",
    "of_answers": "source:\n  connection: api\n  relation: records\n  options: {records: data.items, paging: cursor, "
    "next: meta.next, cursor_type: bigint}\nkey: [id]\ncursor: version\ndeletes: {max_share: 1}\n",
}


@dataclass
class World:
    """All four sources, and what is true of each: the text of each id."""

    landing: Path
    broker: Broker
    things: Collection[dict[str, Any]]
    api: FakeApi
    random: Random
    truth: dict[str, dict[str, str]] = field(default_factory=lambda: {table: {} for table in _TABLES})
    version: int = 0

    def change(self, new: int) -> None:
        """Add, change and delete; in files, of which rows do not leave, a version of a row is a line more."""
        self.version += 1
        begin = len(self.truth["of_files"])
        for table, there in self.truth.items():
            gone = self.random.sample(sorted(there), min(len(there), 3)) if table != "of_files" else []
            changed = self.random.sample(sorted(there.keys() - set(gone)), min(len(there) - len(gone), 20))
            rows = dict.fromkeys((*changed, *map(str, range(begin, begin + new))), f"{table} {self.version}")
            getattr(self, f"_{table}")(rows, gone)
            there.update(rows)
            for one in gone:
                del there[one]

    def _of_files(self, rows: dict[str, str], gone: list[str]) -> None:
        assert not gone
        lines = [json.dumps({"id": one, "text": text, "version": self.version}) for one, text in rows.items()]
        waiting = self.landing / f".{self.version}"
        waiting.write_text("\n".join(lines) + "\n")
        waiting.rename(self.landing / f"{self.version:03}.jsonl")

    def _of_messages(self, rows: dict[str, str], gone: list[str]) -> None:
        producer = self.broker.producer()
        for one, text in rows.items():
            value = json.dumps({"text": text, "version": self.version})
            producer.produce("killed", value, key=one, partition=int(one) % 2)
        for one in gone:
            producer.produce("killed", None, key=one, partition=int(one) % 2)
        assert producer.flush(60) == 0

    def _of_documents(self, rows: dict[str, str], gone: list[str]) -> None:
        self.things.delete_many({"_id": {"$in": [*rows, *gone]}})
        self.things.insert_many([{"_id": one, "text": text, "version": self.version} for one, text in rows.items()])

    def _of_answers(self, rows: dict[str, str], gone: list[str]) -> None:
        """As pages by a cursor show them: what changed stands last."""
        api, out = self.api, {*rows, *gone}
        rank = max([0, *(found["rank"] for found in api.records)])
        stays = [found for found in api.records if found["id"] not in out]
        new = [{"id": one, "text": text, "version": self.version} for one, text in rows.items()]
        api.records = stays + [{**row, "rank": rank + place} for place, row in enumerate(new, 1)]


@pytest.fixture
def world(tmp_path: Path, services: Services, kafka_service: Kafka, documents_service: Documents) -> Iterator[World]:
    broker, client = Broker(kafka_service), documents_service.client()
    broker.make("killed")
    (tmp_path / "landing").mkdir()
    with served() as api:
        api.size = 100
        yield World(tmp_path / "landing", broker, client.killed.things, api, Random(7))
    client.drop_database("killed")
    client.close()
    broker.remove("killed")


@pytest.fixture
def sandbox(world: World, make_sandbox: Callable[..., Sandbox], services: Services) -> Sandbox:
    """A project of its own, whose profile and registry are YAML and nothing else."""
    project = world.landing.parent
    for folder in ("conf", "registry/killed"):
        (project / folder).mkdir(parents=True)
    port = services.endpoint("documents").port
    profile = _PROFILE.format(servers=world.broker.servers, port=port, url=world.api.url)
    (project / "conf" / "killed.yml").write_text(profile)
    shutil.copy(ROOT / "spark-defaults.conf", project)
    for table, text in _REGISTRY.items():
        source = ", source: _id" if table == "of_documents" else ""
        columns = f"columns:\n  id: {{nullable: false{source}}}\n  text:\n  version: bigint\n"
        (project / "registry" / "killed" / f"{table}.yml").write_text(text + columns)
    registry = str(project / "registry")
    found = make_sandbox("killed", "killed", LAKEHOUSE_ROOT=str(project), LAKEHOUSE_REGISTRY=registry)
    (found.home / "landing").symlink_to(world.landing)
    return found


def test_after_ten_kills_each_row_is_there_once_and_says_what_its_source_does(world: World, sandbox: Sandbox) -> None:
    random = Random(11)
    world.change(MANY)
    began = time.monotonic()
    sandbox.pipeline()
    took = time.monotonic() - began
    killed = 0
    while killed < KILLS:
        world.change(MANY // 10)
        began, process = time.monotonic(), sandbox.start()
        try:
            assert process.wait(random.uniform(0.3, 1) * took) == 0
            took = time.monotonic() - began  # it came to its end: runs take less than was thought
        except subprocess.TimeoutExpired:
            killed += 1
        sandbox.kill(process)
    sandbox.pipeline()
    for table, truth in world.truth.items():
        found = dict(sandbox.sql(f"SELECT id, text FROM silver.{table}"))
        assert found == truth, table
        rows = Counter(sandbox.sql(f"SELECT {_ONCE[table]} FROM raw.{table}"))
        assert max(rows.values()) == 1, table
