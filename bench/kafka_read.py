"""Rows per second from a topic of Kafka into Iceberg: by this project, and by Spark's own reader.

No set of Spark's own jars for Kafka is published for just this Spark; the one that is used here is put together of neighbouring
versions, and nobody supports it. So no run that loses nothing is promised of it, only that it reads.
"""

import shutil
from collections.abc import Sequence

from confluent_kafka import Producer
from confluent_kafka.cimpl import NewTopic

from bench.common import HOME, environment, profile, say, services, start_of_spark, timed
from bench.events import COLUMNS, FIELDS, events
from bench.one_table import ingested, rates
from lakehouse.jars import Artifact, fetch
from lakehouse.orchestrate.launch import application
from lakehouse.sources.kafka.connection import Client
from lakehouse.sources.kafka.settings import Settings
from lakehouse.sources.kafka.topics import Topics
from scripts.services.kafka import Kafka
from scripts.services.settings import ROOT

_HOME = HOME / "kafka"
_PARTITIONS = 4
_SPARKS_OWN = (
    Artifact("org.apache.spark", "spark-sql-kafka-0-10_2.13", "4.1.3", transitive=False),
    Artifact("org.apache.spark", "spark-token-provider-kafka-0-10_2.13", "4.1.0-preview1", transitive=False),
    Artifact("org.apache.kafka", "kafka-clients", "3.9.1", transitive=False),
    Artifact("org.apache.commons", "commons-pool2", "2.12.1", transitive=False),
)


def measure(rows: int) -> dict[str, object]:
    """Rows per second, each way by a process of its own, its start included; the topic has them already."""
    found, topic = services("kafka"), f"bench_{rows}"
    _fill(found.kafka, topic, rows)
    shutil.rmtree(_HOME, ignore_errors=True)
    text = f"source: {{connection: app_kafka, relation: {topic}}}\nload: arrivals\n{COLUMNS}"
    start = start_of_spark()
    job = str(ROOT / "bench" / "jobs" / "plain_kafka.py")
    plain = application(profile(), job, [found.kafka.bootstrap_servers, topic, *FIELDS])
    seconds = {
        "ours": ingested("events", text, _HOME / "lake"),
        "spark": timed(_with_jars(plain.command), environment(_HOME / "plain")),
    }
    return rates(rows, seconds, start)


def _with_jars(command: Sequence[str]) -> list[str]:
    """``command``, with the jars of Spark's own reader behind its others."""
    more = ":".join(map(str, fetch(_SPARKS_OWN, "spark-kafka")))
    place = command.index("--driver-class-path") + 1
    return [*command[:place], f"{command[place]}:{more}", *command[place + 1 :]]


def _fill(kafka: Kafka, topic: str, rows: int) -> None:
    """Make ``topic`` with ``rows`` messages, unless it is there with so many."""
    admin = kafka.admin()
    if topic in admin.list_topics(timeout=20).topics:
        source = Settings(type="kafka", bootstrap_servers=(kafka.bootstrap_servers,))
        spans = Topics(Client(source)).looked_at(topic, "measuring").spans.values()
        if sum(span.end for span in spans) == rows:
            return
        raise RuntimeError(f"topic {topic} has another number of messages than {rows:,}: remove it")
    say(f"writing {rows:,} messages")
    admin.create_topics([NewTopic(topic, _PARTITIONS, 1)], request_timeout=20)[topic].result()
    producer = Producer(
        {"bootstrap.servers": kafka.bootstrap_servers, "linger.ms": 50, "compression.type": "lz4", "log_level": 0}
    )
    for number, event in enumerate(events(range(rows))):
        while True:
            try:
                producer.produce(topic, event, partition=number % _PARTITIONS)
                break
            except BufferError:
                producer.poll(0.1)
    if unsent := producer.flush(120):
        raise RuntimeError(f"{unsent:,} messages were not sent")
