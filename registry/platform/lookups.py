"""What libraries know of the texts that programs send: the domain of an address, and whether a program is a robot."""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import crawleruseragents
from publicsuffixlist import PublicSuffixList
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

_SUFFIXES = PublicSuffixList()


def looked_up(rows: DataFrame, column: str, name: str, find: Callable[[str], Any], kind: str) -> DataFrame:
    """``rows`` with ``name``: what ``find`` says of the text in ``column``; NULL for NULL.

    Texts repeat, so each different one is looked up once, by the driver.

    Args:
        kind: the Spark SQL type of what ``find`` says.
    """
    texts = [row[0] for row in rows.select(column).where(F.col(column).isNotNull()).distinct().collect()]
    found = rows.sparkSession.createDataFrame([(text, find(text)) for text in texts], f"{column} string, {name} {kind}")
    return rows.join(F.broadcast(found), on=column, how="left")


def registrable_domain(url: str) -> str | None:
    """``example.co.uk`` of ``https://news.example.co.uk:8080/a``; ``None`` where there is none, as of a bare address."""
    parts = urlsplit(url) if url.startswith(("http://", "https://")) else None
    host = parts.hostname if parts else None
    if not host or host.replace(".", "").isdigit():
        return None
    return _SUFFIXES.privatesuffix(host)


def is_robot(agent: str) -> bool:
    """Whether a program calls itself one that is known to be a robot."""
    return bool(crawleruseragents.is_crawler(agent))
