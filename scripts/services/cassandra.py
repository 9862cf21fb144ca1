"""Cassandra from its jars, without a container."""

from cassandra import AuthenticationFailed, DriverException
from cassandra.auth import PlainTextAuthProvider
from cassandra.cluster import EXEC_PROFILE_DEFAULT, Cluster, ExecutionProfile, NoHostAvailable
from cassandra.policies import WhiteListRoundRobinPolicy

from lakehouse.jars import Artifact, fetch, java
from scripts.services.process import Daemon, free_ports
from scripts.services.settings import HOST, Home

VERSION = "5.0.6"
_ARTIFACTS = (Artifact("org.apache.cassandra", "cassandra-all", VERSION),)
_CONFIGURATION = """
cluster_name: lakehouse
num_tokens: 4
partitioner: org.apache.cassandra.dht.Murmur3Partitioner
endpoint_snitch: SimpleSnitch
seed_provider:
  - class_name: org.apache.cassandra.locator.SimpleSeedProvider
    parameters: [{{seeds: "{host}:{storage_port}"}}]
listen_address: {host}
rpc_address: {host}
native_transport_port: {port}
storage_port: {storage_port}
authenticator: PasswordAuthenticator
authorizer: AllowAllAuthorizer
role_manager: CassandraRoleManager
commitlog_sync: periodic
commitlog_sync_period: 10s
commitlog_segment_size: 8MiB
hints_directory: {data}/hints
data_file_directories: [{data}/data]
commitlog_directory: {data}/commitlog
saved_caches_directory: {data}/saved_caches
cdc_raw_directory: {data}/cdc_raw
concurrent_reads: 8
concurrent_writes: 16
memtable_heap_space: 128MiB
memtable_offheap_space: 128MiB
batch_size_fail_threshold: 640KiB
batch_size_warn_threshold: 640KiB
materialized_views_enabled: false
auto_snapshot: false
"""
_LOGBACK = """<configuration>
  <appender name="out" class="ch.qos.logback.core.ConsoleAppender">
    <encoder><pattern>%date %level %logger{0} %msg%n</pattern></encoder>
  </appender>
  <logger name="org.apache.cassandra" level="INFO"/>
  <root level="WARN"><appender-ref ref="out"/></root>
</configuration>
"""
_OPENED = (
    "java.base/java.io",
    "java.base/java.lang",
    "java.base/java.lang.reflect",
    "java.base/java.nio",
    "java.base/java.util",
    "java.base/java.util.concurrent",
    "java.base/java.util.concurrent.atomic",
    "java.base/jdk.internal.misc",
    "java.base/jdk.internal.ref",
    "java.base/jdk.internal.reflect",
    "java.base/jdk.internal.math",
    "java.base/jdk.internal.module",
    "java.base/jdk.internal.util.jar",
    "java.base/sun.nio.ch",
    "java.management/com.sun.jmx.remote.security",
    "java.rmi/sun.rmi.registry",
    "java.rmi/sun.rmi.server",
    "java.rmi/sun.rmi.transport",
    "java.rmi/sun.rmi.transport.tcp",
    "java.sql/java.sql",
    "java.management.rmi/com.sun.jmx.remote.internal.rmi",
    "jdk.management/com.sun.management.internal",
)


class Cassandra:
    """One node of the data centre ``datacenter1``, on the loopback interface, without JMX.

    A role ``lakehouse`` is made when it first starts, and the role that every new Cassandra has, with a password that
    everyone knows, may not log in any more.
    """

    def __init__(self, home: Home, port: int, password: str) -> None:
        self.port, self._password = port, password
        self._folder = home.of("cassandra")
        self.daemon = Daemon("cassandra", self._folder)

    def start(self) -> None:
        """Start the node unless it runs, and return when ``lakehouse`` can log in."""
        if self.daemon.identity() is None:
            self._launch()
        self.daemon.wait_ready(self._ready, 120)
        self._close_default_role()

    def _launch(self) -> None:
        jars = fetch(_ARTIFACTS, "cassandra")
        configuration = self._folder / "cassandra.yaml"
        configuration.write_text(
            _CONFIGURATION.format(
                host=HOST, port=self.port, storage_port=free_ports(HOST, 1)[0], data=self._folder / "data"
            )
        )
        logback = self._folder / "logback.xml"
        logback.write_text(_LOGBACK)
        flags = [
            flag
            for package in _OPENED
            for flag in (f"--add-opens={package}=ALL-UNNAMED", f"--add-exports={package}=ALL-UNNAMED")
        ]
        properties = {
            "cassandra.config": configuration.as_uri(),
            "cassandra.storagedir": self._folder / "data",
            "cassandra-foreground": "true",
            "cassandra.ring_delay_ms": 100,
            "cassandra.skip_wait_for_gossip_to_settle": 0,
            "cassandra.superuser_setup_delay_ms": 0,
            "logback.configurationFile": logback,
            "jdk.attach.allowAttachSelf": "true",
            "java.io.tmpdir": self._folder,
            "io.netty.tryReflectionSetAccessible": "true",
            "cassandra.logdir": self._folder,
        }
        command = [
            java(),
            "-Xms512m",
            "-Xmx1g",
            "-XX:+UseG1GC",
            "-XX:TieredStopAtLevel=4",
            *flags,
            *(f"-D{name}={value}" for name, value in properties.items()),
            "-cp",
            ":".join(map(str, jars)),
            "org.apache.cassandra.service.CassandraDaemon",
        ]
        self.daemon.start(command)

    def stop(self) -> bool:
        """End the node; ``False`` when it did not run."""
        return self.daemon.stop()

    def cluster(self, user: str = "lakehouse", password: str | None = None) -> Cluster:
        """A driver cluster for this node."""
        profile = ExecutionProfile(load_balancing_policy=WhiteListRoundRobinPolicy([HOST]), request_timeout=60)
        return Cluster(
            [HOST],
            port=self.port,
            auth_provider=PlainTextAuthProvider(user, password or self._password),
            execution_profiles={EXEC_PROFILE_DEFAULT: profile},
            connect_timeout=10,
        )

    def _ready(self) -> bool:
        if _can_connect(self.cluster()):
            return True
        first = self.cluster("cassandra", "cassandra")
        try:
            session = first.connect()
            session.execute(
                "CREATE ROLE IF NOT EXISTS lakehouse WITH PASSWORD = %s AND LOGIN = true AND SUPERUSER = true",
                (self._password,),
            )
        except (NoHostAvailable, AuthenticationFailed, DriverException):
            return False
        finally:
            first.shutdown()
        return _can_connect(self.cluster())

    def _close_default_role(self) -> None:
        own = self.cluster()
        try:
            own.connect().execute("ALTER ROLE cassandra WITH LOGIN = false")
        finally:
            own.shutdown()


def _can_connect(cluster: Cluster) -> bool:
    try:
        cluster.connect()
    except (NoHostAvailable, AuthenticationFailed, DriverException):
        return False
    finally:
        cluster.shutdown()
    return True
