"""What a table that fails does to others, and what is told of it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from pyspark.sql import SparkSession

from lakehouse import spark as lakehouse_spark
from lakehouse.errors import ExitCode
from lakehouse.gold import inputs
from lakehouse.logs import Redaction, configure
from lakehouse.orchestrate.runs import Status, exit_code
from lakehouse.sources.postgres.settings import Settings as PostgresSource
from tests.conftest import TestLake
from tests.unit.orchestrate.marts import CANARY, Marts

NOWHERE = {"type": "postgres", "host": "127.0.0.1", "port": 1, "database": "app", "user": "u", "password": "p"}


@pytest.mark.parametrize(
    ("body", "expected"),
    [('raise ValueError("seven")', "ValueError: seven"), ('return {}["nothing"]', "KeyError: 'nothing'")],
)
def test_what_a_mart_raises_is_its_own_failure_and_others_run(marts: Marts, body: str, expected: str) -> None:
    bad = marts.python("bad", body)
    good = marts.sql("good", "SELECT count(*) AS people FROM {people}")
    after = marts.sql("after", f"SELECT * FROM {bad}")
    runs = marts.lake.run(bad, good, after)
    assert runs[good].status is Status.SUCCEEDED
    assert runs[after].status is Status.SKIPPED
    assert (runs[bad].status, runs[bad].exit_code) == (Status.FAILED, ExitCode.SYSTEM_FAILURE)
    assert f"making {bad} failed: {expected}" in str(runs[bad].error)


def test_the_traceback_of_what_a_mart_raises_is_in_the_log_without_secrets(
    marts: Marts, capsys: pytest.CaptureFixture[str]
) -> None:
    configure(Redaction(["swordfish"]), json_lines=True)
    bad = marts.python("bad", 'raise ValueError("the password is swordfish")')
    marts.lake.run(bad)
    log = capsys.readouterr().err
    assert "Traceback" in log
    assert f"domain/{marts.name('bad')}.py" in log
    assert "swordfish" not in log


def test_a_source_that_cannot_be_opened_fails_only_its_tables(
    marts: Marts, make_lake: Callable[[], TestLake], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lakehouse.orchestrate.schedule.FIRST_WAIT_S", 0.001)
    marts.lake.with_source("away", PostgresSource.model_validate(NOWHERE))
    orders = marts.name("orders")
    marts.lake.register(orders, "source: {connection: away, relation: public.orders}\n")
    unknown = marts.name("unknown")
    marts.lake.register(unknown, "source: {connection: nobody, relation: public.orders}\n")
    good = marts.sql("good", "SELECT count(*) AS people FROM {people}")
    runs = marts.lake.run(f"raw.{orders}", f"silver.{orders}", f"raw.{unknown}", good)
    assert runs[good].status is Status.SUCCEEDED
    assert (runs[f"raw.{orders}"].status, runs[f"raw.{orders}"].attempts) == (Status.FAILED, 4)
    assert runs[f"silver.{orders}"].status is Status.SKIPPED
    assert "has no source 'nobody'" in str(runs[f"raw.{unknown}"].error)


@pytest.mark.parametrize(
    ("query", "condition"),
    [
        ("SELECT CAST(name AS INT) AS number FROM {people}", "CAST_INVALID_INPUT"),
        ("SELECT date(concat('d', name)) AS day FROM {people}", "CAST_INVALID_INPUT"),
        ("SELECT 1 / (id - 1) AS share FROM {people}", "DIVIDE_BY_ZERO"),
        ("SELECT count_if(CAST(name AS INT) > 0) AS numbers FROM {people}", "CAST_INVALID_INPUT"),
    ],
)
def test_a_row_that_a_mart_cannot_take_is_the_datas_fault_and_its_value_is_told_nowhere(
    marts: Marts, capfd: pytest.CaptureFixture[str], query: str, condition: str
) -> None:
    configure(Redaction(), json_lines=True)
    mart = marts.sql("numbers", query)
    with everything_logged(marts.lake.spark) as logged:
        runs = marts.lake.run(mart)
        code = exit_code(runs.values())
        jvm = logged()
    assert code is ExitCode.DATA_FAILURE
    assert condition in str(runs[mart].error)
    assert "try_cast" in str(runs[mart].error)
    out = capfd.readouterr()
    for text in (runs[mart].model_dump_json(), out.out, out.err, jvm):
        assert CANARY not in text


def test_the_message_names_the_code_that_the_row_broke(marts: Marts) -> None:
    mart = marts.sql("numbers", "SELECT CAST(name AS INT) AS number FROM {people}")
    assert "in `CAST(name AS INT)`" in str(marts.lake.run(mart)[mart].error)


def test_sparks_own_loggers_would_have_told_the_value(marts: Marts, monkeypatch: pytest.MonkeyPatch) -> None:
    """So that the test of the canary hears what it should not find."""
    monkeypatch.setattr(inputs, "_SMALL", -1)  # few rows are looked at before there is a task
    mart = marts.sql("numbers", "SELECT CAST(name AS INT) AS number FROM {people}")
    log4j: Any = marts.lake.spark._jvm.org.apache.logging.log4j  # type: ignore[union-attr]
    name = "org.apache.spark.executor.Executor"
    log4j.core.config.Configurator.setLevel(name, log4j.Level.ERROR)
    try:
        with everything_logged(marts.lake.spark) as logged:
            marts.lake.run(mart)
            assert CANARY in logged()
    finally:
        log4j.core.config.Configurator.setLevel(name, log4j.Level.OFF)


@contextmanager
def everything_logged(spark: SparkSession) -> Iterator[Callable[[], str]]:
    """What the JVM logs while the block lasts, warnings included."""
    jvm: Any = spark._jvm
    log4j = jvm.org.apache.logging.log4j
    writer = jvm.java.io.StringWriter()
    layout = log4j.core.layout.PatternLayout.newBuilder().withPattern("%c %m%n%ex").build()
    appender = log4j.core.appender.WriterAppender.createAppender(layout, None, writer, "canary", False, True)
    appender.start()
    context = log4j.LogManager.getContext(False)
    root = context.getConfiguration().getRootLogger()
    before = root.getLevel()
    root.addAppender(appender, log4j.Level.WARN, None)
    log4j.core.config.Configurator.setRootLevel(log4j.Level.WARN)
    try:
        yield lambda: str(writer.toString())
    finally:
        log4j.core.config.Configurator.setRootLevel(before)
        root.removeAppender("canary")


def test_the_loggers_that_tell_of_tasks_are_off(spark: SparkSession) -> None:
    jvm: Any = spark._jvm
    for name in lakehouse_spark._TELL_FAILURES:
        assert str(jvm.org.apache.logging.log4j.LogManager.getLogger(name).getLevel()) == "OFF"
