"""The domains of the demo that databases hold, in PostgreSQL and Cassandra of the benchmarks' own, and their run."""

import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Any

from bench.common import own_services, say
from scripts.demo_data.ecommerce import generator as shop
from scripts.demo_data.engagement import generator as engagement
from scripts.services.settings import ROOT

#: The run of both domains, as a user calls it.
PIPELINE = (sys.executable, str(ROOT / "scripts" / "run_pipeline.py"), "--domains", "engagement,ecommerce")


@dataclass(frozen=True)
class Sources:
    """Connections to the filled sources: psycopg2's, and a session of Cassandra's driver."""

    postgres: Any
    cassandra: Any

    def play_day(self) -> None:
        """One more day of both domains, as the demo's second call plays it."""
        engagement.play_day(self.postgres, self.cassandra)
        shop.play_day(self.postgres)


@contextmanager
def filled(scale: float, shop_scale: float) -> Iterator[Sources]:
    """Both sources, filled: the shop at ``shop_scale``, all else at ``scale``; ended and thrown away afterwards."""
    with own_services("postgres", "cassandra") as found, closing(found.postgres.connect()) as postgres:
        cluster = found.cassandra.cluster()
        try:
            session = cluster.connect()
            say(f"generating engagement at scale {scale:g}")
            engagement.create_schema(postgres, session)
            engagement.load(postgres, session, scale, seed=7)
            say(f"generating ecommerce at scale {shop_scale:g}")
            shop.create_schema(postgres)
            shop.load(postgres, shop_scale, seed=7)
            yield Sources(postgres, session)
        finally:
            cluster.shutdown()
