"""Holding the lake against the oracle: `python -m tests.oracles.compare` says where they differ."""

import sys
from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import Any

import duckdb

from scripts.services.control import Services
from tests.oracles.engagement import Sources


def differences(analytics: Path, sources: Sources) -> list[str]:
    """What the analysts' file says otherwise than the sources; money within a millionth."""
    with duckdb.connect(str(analytics), read_only=True) as lake:
        activity = {
            (u, d): (c, s, m, money)
            for u, d, c, s, m, money in lake.execute(
                "SELECT user_id, date, total_nbr_connexion, total_spend_time, total_message_send_this_day, total_money_spend"
                " FROM global_user_activity_per_day"
            ).fetchall()
        }
        impact = Counter(
            lake.execute(
                "SELECT user_id, content_notif, notif_date, is_success, time_spend_after_success"
                " FROM global_notif_impact_per_day"
            ).fetchall()
        )
    found = []
    expected = sources.expected_activity()
    for key in sorted(expected.keys() | activity.keys(), key=str):
        if not _alike(expected.get(key), activity.get(key)):
            found.append(f"activity {key}: expected {expected.get(key)}, found {activity.get(key)}")
    wanted = Counter(sources.expected_impact())
    found += [f"notification missing: {row}" for row in (wanted - impact).elements()]
    found += [f"notification not expected: {row}" for row in (impact - wanted).elements()]
    return found


def _alike(expected: tuple[Any, ...] | None, found: tuple[Any, ...] | None) -> bool:
    if expected is None or found is None:
        return False
    return expected[:3] == found[:3] and abs(expected[3] - found[3]) <= 1e-6 * max(1.0, abs(expected[3]))


if __name__ == "__main__":
    services = Services()
    cluster = services.cassandra.cluster()
    with closing(services.postgres.connect()) as postgres:
        result = differences(Path(sys.argv[1]), Sources(postgres, cluster.connect()))
    cluster.shutdown()
    print("\n".join(result[:20]) or "gold equals the sources")
    sys.exit(bool(result))
