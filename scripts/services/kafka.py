"""Kafka from its jars, without a container: one process that is broker and controller (KRaft), without ZooKeeper."""

import subprocess
from pathlib import Path

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from lakehouse.jars import Artifact, fetch, java
from scripts.services.process import Daemon, ServiceError, free_ports
from scripts.services.settings import HOST, Home

VERSION = "4.3.0"
_ARTIFACTS = (
    Artifact("org.apache.kafka", "kafka_2.13", VERSION),
    Artifact("org.apache.logging.log4j", "log4j-slf4j2-impl", "2.25.1"),
)
_CLUSTER = "bGFrZWhvdXNlLWxvY2FsMQ"  # 16 bytes in base 64: any will do, since there is one node
_CONFIGURATION = """
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@{host}:{controller}
listeners=PLAINTEXT://{host}:{port},CONTROLLER://{host}:{controller}
advertised.listeners=PLAINTEXT://{host}:{port}
controller.listener.names=CONTROLLER
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
log.dirs={data}
auto.create.topics.enable=false
offsets.topic.num.partitions=1
offsets.topic.replication.factor=1
transaction.state.log.num.partitions=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.num.partitions=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
num.network.threads=2
num.io.threads=2
log.cleaner.dedupe.buffer.size=16777216
controlled.shutdown.enable=false
"""
_LOG4J = """
status = error
appender.out.type = Console
appender.out.name = out
appender.out.layout.type = PatternLayout
appender.out.layout.pattern = %d %p %c{1} %m%n
rootLogger.level = warn
rootLogger.appenderRef.out.ref = out
"""


class Kafka:
    """One broker on the loopback interface, which asks for no password. Topics are made by who needs them."""

    def __init__(self, home: Home, port: int) -> None:
        self.port = port
        self._folder = home.of("kafka")
        self.daemon = Daemon("kafka", self._folder)

    @property
    def bootstrap_servers(self) -> str:
        """What a client connects to first."""
        return f"{HOST}:{self.port}"

    def start(self) -> None:
        """Start the broker unless it runs, and return when it answers."""
        if self.daemon.identity() is None:
            self._launch()
        self.daemon.wait_ready(self._ready, 120)

    def _launch(self) -> None:
        jars = ":".join(map(str, fetch(_ARTIFACTS, "kafka")))
        data = self._folder / "data"
        configuration, log4j = self._folder / "server.properties", self._folder / "log4j2.properties"
        configuration.write_text(
            _CONFIGURATION.format(host=HOST, port=self.port, controller=free_ports(HOST, 1)[0], data=data).lstrip()
        )
        log4j.write_text(_LOG4J.lstrip())
        command = [
            java(),
            "-Xms64m",
            "-Xmx256m",
            "-XX:+UseSerialGC",
            "-XX:TieredStopAtLevel=1",
            f"-Dlog4j2.configurationFile={log4j}",
            "-cp",
            jars,
        ]
        if not (data / "meta.properties").exists():
            _format([*command, "kafka.tools.StorageTool"], configuration)
        self.daemon.start([*command, "kafka.Kafka", str(configuration)])

    def stop(self) -> bool:
        """End the broker; ``False`` when it did not run."""
        return self.daemon.stop()

    def admin(self) -> AdminClient:
        """A client that makes and removes topics."""
        return AdminClient({"bootstrap.servers": self.bootstrap_servers, "log_level": 0})

    def _ready(self) -> bool:
        try:
            return bool(self.admin().list_topics(timeout=2).brokers)
        except KafkaException:
            return False


def _format(command: list[str], configuration: Path) -> None:
    """Make the folder of the data what a broker expects of one, once."""
    done = subprocess.run(
        [*command, "format", "-t", _CLUSTER, "-c", str(configuration)], capture_output=True, text=True, check=False
    )
    if done.returncode:
        said = " ".join((done.stderr or done.stdout).split())[-500:]
        raise ServiceError(
            f"starting kafka: its folder could not be made ready: {said}",
            remedy=f"Remove {configuration.parent} and start it again.",
        )
