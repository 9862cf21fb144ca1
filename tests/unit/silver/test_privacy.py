import hashlib
import hmac
from typing import Any

import pytest
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from lakehouse.errors import ConfigurationError
from lakehouse.logs import Redaction
from lakehouse.registry.tables import Pii, SourceTable
from lakehouse.silver.contract import shape
from lakehouse.silver.privacy import hmac_sha256, pads, protect
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


def protected(spark: SparkSession, policy: Pii, texts: list[str | None], kind: str = "string") -> list[Any]:
    frame = local_frame(spark, list(enumerate(texts)), "n int, value string")
    return [row[0] for row in frame.sort("n").select(protect(F.col("value").cast(kind), policy, None)).collect()]


def test_a_mask_keeps_the_last_four_letters_and_digits_of_eight_or_more(spark: SparkSession) -> None:
    cases = {
        "4111 1111 1111 1234": "**** **** **** 1234",
        "+49 170 1234567": "+** *** ***4567",
        "12345678": "****5678",
        "1234567": "*******",
        "äöüß-ñandú": "****-*andú",
        "a-b": "*-*",
        "--": "--",
        "": "",
        None: None,
    }
    assert protected(spark, Pii.MASK, list(cases)) == list(cases.values())
    assert protected(spark, Pii.MASK, ["1234567890"], "bigint") == ["******7890"]


def test_a_year_is_all_that_is_left_of_a_date(spark: SparkSession) -> None:
    cases = {"1984-02-29": 1984, "1984-02-29 23:59:59": 1984, "no date": None, "1984-02-30": None, None: None}
    assert protected(spark, Pii.YEAR, list(cases)) == list(cases.values())
    assert protected(spark, Pii.YEAR, ["1984-12-31 23:59:59"], "timestamp") == [1984]


def test_an_address_is_cut_to_its_network_and_what_is_none_is_redacted(spark: SparkSession) -> None:
    cases = {
        "192.168.17.4": "192.168.17.0/24",
        " 192.168.17.4/32 ": "192.168.17.0/24",
        "255.255.255.255": "255.255.255.0/24",
        "::ffff:10.1.2.3": "10.1.2.0/24",
        "::FFFF:10.1.2.3": "10.1.2.0/24",
        "2001:db8:85a3:8d3:1319:8a2e:370:7348": "2001:db8:85a3::/48",
        "2001:0DB8:0000:0042::1/128": "2001:db8:0::/48",
        "2001:db8::1": "2001:db8:0::/48",
        "1:2:3:4:5:6:7::": "1:2:3::/48",
        "::1": "0:0:0::/48",
        "::": "0:0:0::/48",
        "999.1.1.1": "[redacted]",
        "10.0.0": "[redacted]",
        "10.0.0.1.2": "[redacted]",
        "12:30": "[redacted]",
        "12345::1": "[redacted]",
        "1:2:3:4:5:6:7:80001": "[redacted]",
        "1::2::3": "[redacted]",
        ":::": "[redacted]",
        "1:2:3:4:5:6:7:8:9": "[redacted]",
        "1:2:3:4:5:6:7:8::": "[redacted]",
        "fe80::1%eth0": "[redacted]",
        "somebody's name": "[redacted]",
        "": "[redacted]",
        None: None,
    }
    found = protected(spark, Pii.TRUNCATE_IP, list(cases))
    assert dict(zip(cases, found, strict=True)) == cases


def test_pseudonyms_of_numbers_are_those_of_their_text_and_differ_by_key(spark: SparkSession) -> None:
    frame = local_frame(spark, [(7,)], "id bigint")
    row = frame.select(*(protect(F.col("id"), Pii.PSEUDONYMISE, key) for key in (b"a", b"b"))).collect()[0]
    assert tuple(row) == tuple(hmac.new(key, b"7", hashlib.sha256).hexdigest() for key in (b"a", b"b"))


def test_a_policy_says_which_columns_silver_shows_and_of_which_type() -> None:
    policies = {"a": "none", "b": "exclude", "c": "drop", "d": "redact", "e": "mask", "f": "year", "g": "truncate_ip",
                "h": "pseudonymise"}  # fmt: skip
    columns = {name: {"type": "date", "pii": policy} for name, policy in policies.items()}
    origin = {"connection": "c", "relation": "r"}
    table = SourceTable.model_validate({"table": "t", "domain": "d", "source": origin, "columns": columns})
    silver = shape(table, dict.fromkeys(policies, "date"), ())
    text = dict.fromkeys("degh", "string")
    assert silver.published(table) == {"a": "date", **text, "f": "int"}


def test_logs_lose_secrets_wherever_they_stand() -> None:
    redaction = Redaction(["s3cr3t-word"])
    event = redaction(None, "info", {"event": "at s3cr3t-word", "more": {"list": ["x s3cr3t-word"]}})
    assert "s3cr3t" not in str(event)
    assert redaction.text("postgresql://app:pa$$word@host/db") == "postgresql://app:[secret]@host/db"
