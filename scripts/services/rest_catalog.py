"""Iceberg's REST catalog server, from its jars: the one that the image apache/iceberg-rest-fixture runs.

It is a test artifact: no authentication, and it listens on every interface. Its log holds secrets and is not kept.
"""

import os

from lakehouse.jars import Artifact, fetch, java
from scripts.services.minio import BUCKET, Minio
from scripts.services.postgres import Postgres
from scripts.services.process import Daemon, answers
from scripts.services.settings import HOST, Home

VERSION = "1.11.0"
_ICEBERG, _JETTY = "org.apache.iceberg", "12.1.8"
_ARTIFACTS = (
    Artifact(_ICEBERG, "iceberg-open-api", VERSION, ("test-fixtures",), transitive=False),
    Artifact(_ICEBERG, "iceberg-core", VERSION, ("", "tests")),
    Artifact(_ICEBERG, "iceberg-aws", VERSION),
    Artifact(_ICEBERG, "iceberg-aws-bundle", VERSION, transitive=False),
    Artifact("org.apache.hadoop", "hadoop-client-api", "3.4.1", transitive=False),
    Artifact("org.apache.hadoop", "hadoop-client-runtime", "3.4.1"),
    Artifact("org.eclipse.jetty", "jetty-server", _JETTY),
    Artifact("org.eclipse.jetty.ee10", "jetty-ee10-servlet", _JETTY),
    Artifact("org.eclipse.jetty.compression", "jetty-compression-server", _JETTY),
    Artifact("org.eclipse.jetty.compression", "jetty-compression-gzip", _JETTY),
    Artifact("org.postgresql", "postgresql", "42.7.8"),
    Artifact("org.slf4j", "slf4j-simple", "2.0.17"),
)


class RestCatalog:
    """The catalog server; its tables are rows in PostgreSQL, their files objects in MinIO."""

    def __init__(
        self,
        home: Home,
        port: int,
        database: Postgres,
        store: Minio,
        database_password: str,
        store_password: str,
    ) -> None:
        self.port = port
        self._database, self._store = database, store
        self._database_password, self._store_password = database_password, store_password
        self.daemon = Daemon("rest_catalog", home.of("rest_catalog"))

    @property
    def uri(self) -> str:
        """Its URL."""
        return f"http://{HOST}:{self.port}"

    def start(self) -> None:
        """Start the server unless it runs; its database and its store must run."""
        if self.daemon.identity() is None:
            self._launch()
        self.daemon.wait_ready(lambda: answers(HOST, self.port, "/v1/config"), 60)

    def _launch(self) -> None:
        jars = fetch(_ARTIFACTS, "rest-catalog")
        environment = os.environ | {
            "CATALOG_REST_PORT": str(self.port),
            "REST_PORT": str(self.port),
            "CATALOG_CATALOG__IMPL": "org.apache.iceberg.jdbc.JdbcCatalog",
            "CATALOG_URI": f"jdbc:postgresql://{HOST}:{self._database.port}/{self._database.database}",
            "CATALOG_JDBC_USER": self._database.admin,
            "CATALOG_JDBC_PASSWORD": self._database_password,
            "CATALOG_JDBC_SCHEMA__VERSION": "V1",
            "CATALOG_WAREHOUSE": f"s3://{BUCKET}/warehouse",
            "CATALOG_IO__IMPL": "org.apache.iceberg.aws.s3.S3FileIO",
            "CATALOG_S3_ENDPOINT": self._store.endpoint,
            "CATALOG_S3_PATH__STYLE__ACCESS": "true",
            "CATALOG_S3_ACCESS__KEY__ID": self._store.user,
            "CATALOG_S3_SECRET__ACCESS__KEY": self._store_password,
            "CATALOG_CLIENT_REGION": "us-east-1",
            "AWS_REGION": "us-east-1",
        }
        command = [
            java(),
            "-Xmx256m",
            "-XX:TieredStopAtLevel=1",
            "-Dorg.slf4j.simpleLogger.defaultLogLevel=error",
            "-cp",
            ":".join(map(str, jars)),
            "org.apache.iceberg.rest.RESTCatalogServer",
        ]
        self.daemon.start(command, env=environment, keep_log=False)

    def stop(self) -> bool:
        """End the server; ``False`` when it did not run."""
        return self.daemon.stop()
