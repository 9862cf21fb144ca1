"""What the library's errors mean, and that none of them holds a secret."""

import time
from typing import Any

import pytest
from confluent_kafka import KafkaError, KafkaException
from pydantic import SecretStr

from lakehouse.errors import SourceError, SourceUnavailableError
from lakehouse.sources.kafka.connection import Client, meaning, translated
from lakehouse.sources.kafka.settings import Settings
from lakehouse.sources.kafka.source import opened

SECRET = "open-sesame"


def source(**more: Any) -> Settings:
    return Settings(
        type="kafka",
        bootstrap_servers=("k:9092",),
        security_protocol="SASL_SSL",
        user="ada",
        password=SecretStr(SECRET),
        **more,
    )


@pytest.mark.parametrize(
    ("code", "kind", "told"),
    [
        (KafkaError._AUTHENTICATION, SourceError, "refused user 'ada' (SASL_SSL, SCRAM-SHA-512)"),
        (KafkaError._SSL, SourceError, "Check `security_protocol` and `ssl_ca`"),
        (KafkaError.TOPIC_AUTHORIZATION_FAILED, SourceError, "lets user 'ada' not do that"),
        (KafkaError._TRANSPORT, SourceUnavailableError, "does not answer within 20 s"),
        (KafkaError.REQUEST_TIMED_OUT, SourceUnavailableError, "does not answer within 20 s"),
        (KafkaError.INVALID_REQUEST, SourceError, "INVALID_REQUEST"),
    ],
)
def test_an_error_says_what_was_done_and_what_to_do(code: int, kind: type[SourceError], told: str) -> None:
    found = meaning(Client(source()), KafkaError(code), "ingesting events")
    assert type(found) is kind
    assert str(found).startswith("ingesting events: Kafka at k:9092")
    assert told in str(found)
    assert SECRET not in str(found)


def test_a_refusal_that_came_beside_the_request_says_why_it_had_no_answer() -> None:
    client = Client(source())
    client._heard(KafkaError(KafkaError._AUTHENTICATION, "SASL authentication failed"))
    with pytest.raises(SourceError, match="refused user 'ada'"), translated(client, "ingesting events"):
        raise KafkaException(KafkaError(KafkaError._TRANSPORT))


def test_nothing_is_ever_committed_and_only_what_was_committed_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    given: dict[str, Any] = {}
    monkeypatch.setattr("lakehouse.sources.kafka.connection.Consumer", given.update)
    Client(source(ssl_ca="/ca.pem")).consumer()
    assert given["isolation.level"] == "read_committed"
    assert given["auto.offset.reset"] == "error"
    assert not given["enable.auto.commit"]
    assert (given["ssl.ca.location"], given["sasl.username"], given["sasl.password"]) == ("/ca.pem", "ada", SECRET)


def test_a_password_is_not_shown_with_its_settings() -> None:
    assert SECRET not in repr(source())


def test_settings_that_no_client_can_have_are_an_error_of_the_profile() -> None:
    with (
        pytest.raises(SourceError, match=r"cannot be made as the profile says: .*ssl\.ca\.location") as error,
        opened("bus", source(ssl_ca="/nowhere/ca.pem"), ()),
    ):
        pass
    assert not error.value.retryable
    assert SECRET not in str(error.value)


def test_an_answer_that_never_comes_is_told() -> None:
    told = r"does not answer within 20 s\. Check that it runs"
    with pytest.raises(SourceUnavailableError, match=told), translated(Client(source()), "ingesting events"):
        raise TimeoutError


def test_where_no_broker_is_that_is_told_in_bounded_time() -> None:
    nobody = Settings(type="kafka", bootstrap_servers=("127.0.0.1:9",), request_timeout_s=1)
    began = time.monotonic()
    with pytest.raises(SourceUnavailableError) as error, opened("bus", nobody, ()):
        pass
    assert time.monotonic() - began < 10
    assert str(error.value).startswith("opening source 'bus': Kafka at 127.0.0.1:9 does not answer within 1 s: ")
