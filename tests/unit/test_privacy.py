import hashlib
import hmac

import pytest
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from lakehouse.errors import ConfigurationError
from lakehouse.logs import Redaction
from lakehouse.privacy import hmac_sha256, pads, protect
from lakehouse.registry.tables import Pii
from lakehouse.testing import local_frame


@pytest.mark.parametrize("key", [b"k", b"key" * 10, b"x" * 64, b"y" * 200])
def test_a_pseudonym_is_the_standard_hmac(spark: SparkSession, key: bytes) -> None:
    texts = ["", "ana@example.com", "größe\n'\"", None]
    frame = local_frame(spark, [(text,) for text in texts], "text string")
    found = [row[0] for row in frame.select(hmac_sha256(F.col("text"), key)).collect()]
    expected = [None if text is None else hmac.new(key, text.encode(), hashlib.sha256).hexdigest() for text in texts]
    assert found == expected


def test_no_plan_shows_the_key(spark: SparkSession, capsys: pytest.CaptureFixture[str]) -> None:
    key = b"a secret that nobody may see"
    spark.range(1).select(hmac_sha256(F.col("id").cast("string"), key)).explain(True)
    shown = capsys.readouterr().out.lower()
    assert "sha2" in shown
    assert not any(pad.hex() in shown for pad in pads(key))


def test_a_pseudonym_without_a_key_is_refused(spark: SparkSession) -> None:
    with pytest.raises(ConfigurationError, match="LAKEHOUSE_PSEUDONYM_KEY"):
        protect(F.lit("x"), Pii.PSEUDONYMISE, None)


def test_redacted_values_keep_only_whether_they_were_there(spark: SparkSession) -> None:
    frame = local_frame(spark, [("x",), (None,)], "a string")
    assert [row[0] for row in frame.select(protect(F.col("a"), Pii.REDACT, None)).collect()] == ["[redacted]", None]


def test_logs_lose_secrets_wherever_they_stand() -> None:
    redaction = Redaction(["s3cr3t-word"])
    event = redaction(None, "info", {"event": "at s3cr3t-word", "more": {"list": ["x s3cr3t-word"]}})
    assert "s3cr3t" not in str(event)
    assert redaction.text("postgresql://app:pa$$word@host/db") == "postgresql://app:[secret]@host/db"
