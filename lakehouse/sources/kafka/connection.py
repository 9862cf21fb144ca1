"""Clients of Kafka, and what the library's errors mean."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from confluent_kafka import Consumer, KafkaError, KafkaException
from confluent_kafka.admin import AdminClient

from lakehouse.errors import SourceError, SourceUnavailableError
from lakehouse.sources.kafka.settings import Settings

_REFUSED = {
    KafkaError._AUTHENTICATION,
    KafkaError.SASL_AUTHENTICATION_FAILED,
    KafkaError.UNSUPPORTED_SASL_MECHANISM,
    KafkaError.ILLEGAL_SASL_STATE,
}
_FORBIDDEN = {KafkaError.TOPIC_AUTHORIZATION_FAILED, KafkaError.CLUSTER_AUTHORIZATION_FAILED}
#: How long the broker waits for messages before it says that there are none, and what a client holds of them at most. A client
#: that holds so much looks again after a while, by default a second, whether it still does: most of a long read would be that.
_WAIT_MS, _HELD_KB, _LOOK_AGAIN_MS = 50, 32 * 1024, 5


class Client:
    """A client of ``source``, and what it was told in vain since it is there: the library says most of it besides.

    Attributes:
        complaints: the codes and texts of errors that concern no request, such as a refused password.
    """

    def __init__(self, source: Settings) -> None:
        self.source = source
        self.complaints: list[tuple[int, str]] = []

    def admin(self) -> AdminClient:
        """A client that asks for topics and offsets."""
        return AdminClient(self._configuration())

    def consumer(self) -> Consumer:
        """A client that reads what it is assigned: of no group, without a commit, and only what was committed."""
        return Consumer(
            self._configuration()
            | {
                "group.id": "lakehouse",  # the library wants one; it is never joined
                "enable.auto.commit": False,
                "enable.auto.offset.store": False,
                "auto.offset.reset": "error",
                "enable.partition.eof": True,
                "isolation.level": "read_committed",
                "fetch.wait.max.ms": _WAIT_MS,
                "queued.max.messages.kbytes": _HELD_KB,
                "fetch.queue.backoff.ms": _LOOK_AGAIN_MS,
            }
        )

    def _configuration(self) -> dict[str, Any]:
        source = self.source
        timeout_ms = int(source.request_timeout_s * 1000)
        wanted: dict[str, Any] = {
            "bootstrap.servers": ",".join(source.bootstrap_servers),
            "security.protocol": source.security_protocol,
            "socket.timeout.ms": max(timeout_ms, 10),
            "socket.connection.setup.timeout.ms": max(timeout_ms, 1000),
            "error_cb": self._heard,
            "log_level": 0,  # it would print to the standard error
        }
        if source.ssl_ca is not None:
            wanted["ssl.ca.location"] = source.ssl_ca
        if source.security_protocol.startswith("SASL"):
            wanted["sasl.mechanism"] = source.sasl_mechanism
            wanted["sasl.username"] = source.user or ""
            wanted["sasl.password"] = source.password.get_secret_value() if source.password else ""
        return wanted

    def _heard(self, error: KafkaError) -> None:
        if len(self.complaints) < 100:
            self.complaints.append((error.code(), _text(error)))


@contextmanager
def translated(client: Client, doing: str, admin: AdminClient | None = None) -> Iterator[None]:
    """Turns the library's errors into the project's, without a secret in them.

    Args:
        admin: the one that asks; it tells what it heard meanwhile when it is asked to.

    Raises:
        SourceUnavailableError: no broker answered; trying again may help.
        SourceError: it refused.
    """
    try:
        yield
    except KafkaException as error:
        if admin is not None:
            admin.poll(0)
        raise meaning(client, error.args[0], doing) from None
    except TimeoutError:
        raise _no_answer(client, "", doing) from None


def meaning(client: Client, error: KafkaError, doing: str) -> SourceError:
    """What an error of the library means."""
    source = client.source
    codes = {error.code(), *(code for code, _ in client.complaints)}
    if codes & _REFUSED:
        return SourceError(
            f"{doing}: {source.where} refused user {source.user!r} ({source.security_protocol}, {source.sasl_mechanism}); "
            "expected a user and a password that it knows.",
            remedy="Check the user and `sasl_mechanism` in the profile, and the environment variable of the password.",
        )
    if error.code() == KafkaError._SSL or any(code == KafkaError._SSL for code, _ in client.complaints):
        said = next((text for code, text in client.complaints if code == KafkaError._SSL), _text(error))
        return SourceError(
            f"{doing}: {source.where}: no connection by TLS: {said}.",
            remedy="Check `security_protocol` and `ssl_ca` in the profile.",
        )
    if error.code() in _FORBIDDEN:
        return SourceError(
            f"{doing}: {source.where} lets user {source.user!r} not do that: {_text(error)}.",
            remedy="Grant it Describe and Read of the topic, and Describe of the group 'lakehouse'.",
        )
    if error.code() == KafkaError._INVALID_ARG:
        return SourceError(
            f"{doing}: a client of {source.where} cannot be made as the profile says: {_text(error)}.",
            remedy="Correct the source in the profile.",
        )
    if error.code() < 0 or error.retriable() or error.code() == KafkaError.REQUEST_TIMED_OUT:
        return _no_answer(client, _text(error), doing)
    return SourceError(f"{doing}: {source.where}: {error.name()}: {_text(error)}.")


def _no_answer(client: Client, said: str, doing: str) -> SourceUnavailableError:
    source = client.source
    why = client.complaints[-1][1] if client.complaints else said
    return SourceUnavailableError(
        f"{doing}: {source.where} does not answer within {source.request_timeout_s:g} s{f': {why}' if why else ''}.",
        remedy="Check that it runs and that this machine reaches its brokers by the names that they give themselves.",
    )


def _text(error: KafkaError) -> str:
    return " ".join(error.str().split()).rstrip(".")[:300]
