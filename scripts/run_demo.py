"""The demo, once everything is installed: services, data, pipeline, a first answer. Started by scripts/demo."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from datetime import date
from pathlib import Path
from typing import Annotated

import duckdb
import typer
from rich.console import Console
from rich.table import Table

from lakehouse.errors import LakehouseError
from lakehouse.settings import load_profile
from scripts.demo_data import connections
from scripts.demo_data.ecommerce import generator as shop
from scripts.demo_data.engagement import generator as engagement
from scripts.demo_data.platform.generator import Platform
from scripts.demo_data.platform.landing import Landing
from scripts.services.control import Services
from scripts.services.settings import ROOT

console = Console()
_NAMES = ("postgres", "cassandra", "documents", "kafka")
_QUESTIONS = {
    "engagement: users by day": """
        SELECT date, count(*) AS active_users, sum(total_nbr_connexion) AS sessions,
               round(sum(total_spend_time) / 3600.0, 1) AS hours, sum(total_message_send_this_day) AS messages,
               round(sum(total_money_spend), 2) AS money
          FROM global_user_activity_per_day GROUP BY date ORDER BY date DESC LIMIT 5""",
    "ecommerce: sales by day": """
        SELECT date, orders, units, gmv, discounts, refunds, net_revenue, aov
          FROM sales_by_day ORDER BY date DESC LIMIT 5""",
    "ecommerce: customers by segment": """
        SELECT segment, count(*) AS customers, sum(ltv) AS ltv, round(avg(churn_risk), 2) AS churn_risk
          FROM customer_360 GROUP BY segment ORDER BY ltv DESC LIMIT 5""",
    "ecommerce: who will order nothing in the next 90 days, by tenths": """
        SELECT decile, count(*) AS customers, round(avg(probability), 2) AS probability
          FROM churn_scores WHERE decile IN (1, 2, 10) GROUP BY decile ORDER BY decile""",
    "platform: visits and how far they come, by device": """
        SELECT device_type_category, sum(sessions) AS sessions, sum(carted) AS carted, sum(checked_out) AS checked_out,
               sum(purchased) AS purchased, round(sum(purchased) / sum(sessions), 3) AS conversion_rate
          FROM click_funnel_daily GROUP BY ALL ORDER BY sessions DESC""",
}


def main(
    scale: Annotated[float, typer.Option(min=0.001, envvar="LAKEHOUSE_DEMO_SCALE", help="Multiplies the data.")] = 1,
    seed: Annotated[int, typer.Option(help="Decides every generated value.")] = 7,
    no_changes: Annotated[bool, typer.Option(help="On a later call, do not play a day first.")] = False,
    without_models: Annotated[bool, typer.Option(help="Neither train models nor score.")] = False,
    stop: Annotated[bool, typer.Option(help="End the services that the demo started.")] = False,
) -> None:
    """From nothing to gold."""
    try:
        services = Services()
        if stop:
            for name in services.stop():
                console.print(f"{name} ended")
            return
        began = time.monotonic()
        _start(services)
        _prepare(services, scale, seed, play=not no_changes)
    except LakehouseError as error:
        console.print(str(error), markup=False, highlight=False, style="red", soft_wrap=True)
        raise SystemExit(int(error.exit_code)) from None
    console.rule("pipeline: raw, silver, gold, by spark-submit")
    command = [sys.executable, str(ROOT / "scripts" / "run_pipeline.py"), *(() if without_models else ("--models",))]
    code = subprocess.run(command, check=False, env=os.environ | services.env).returncode
    if code:
        raise SystemExit(code)
    _answer(began)


def _start(services: Services) -> None:
    console.rule("services")
    services.check_ports(_NAMES)
    for name in _NAMES:
        began = time.monotonic()
        with console.status(f"starting {name} (the first time its files are fetched)"):
            started = services.start(name)
        console.print(
            f"{name} {'started' if started else 'runs'} on port {services.get(name).port}"
            f" ({time.monotonic() - began:.0f} s)"
        )


def _prepare(services: Services, scale: float, seed: int, *, play: bool) -> None:
    console.rule("source data")
    cluster = services.cassandra.cluster()
    try:
        session = cluster.connect()
        with closing(services.postgres.connect()) as postgres:
            engagement.create_schema(postgres, session)
            _fill(
                "engagement, thirty days",
                (lambda: engagement.load(postgres, session, scale, seed)) if engagement.is_empty(postgres) else None,
                (lambda: engagement.play_day(postgres, session, seed)) if play else None,
            )
            shop.create_schema(postgres)
            _fill(
                "ecommerce, eighteen months of a shop",
                (lambda: shop.load(postgres, scale, seed)) if shop.is_empty(postgres) else None,
                (lambda: shop.play_day(postgres, seed)) if play else None,
            )
    finally:
        cluster.shutdown()
    with closing(services.documents.client()) as documents:
        platform = Platform(Landing(connections.landing()), documents, services.kafka.bootstrap_servers)
        _fill(
            "platform, five days of clicks and young companies, two months of sales",
            (lambda: platform.load(scale, seed)) if platform.is_empty() else None,
            (lambda: platform.play_day(scale, seed)) if play else None,
        )


def _fill(what: str, load: Callable[[], dict[str, int]] | None, play: Callable[[], date] | None) -> None:
    """Load a domain's sources where they are empty, else play a day; neither of the two may be wanted."""
    if load is not None:
        with console.status(f"generating {what}"):
            counts = load()
        console.print(f"{what}:")
        for table, count in counts.items():
            console.print(f"{table:>22} {count:>10,} rows")
    elif play is not None:
        with console.status(f"playing one more day of {what.partition(',')[0]}"):
            day = play()
        console.print(f"{what.partition(',')[0]}: played {day:%F}: new, changed, late and deleted rows")


def _answer(began: float) -> None:
    path = Path(load_profile("embedded").analytics)
    console.rule("gold, asked by DuckDB")
    with duckdb.connect(str(path), read_only=True) as connection:
        views = {name for (name,) in connection.execute("SELECT view_name FROM duckdb_views()").fetchall()}
        for title, question in _QUESTIONS.items():
            if "churn_scores" in question and "churn_scores" not in views:
                continue
            result = connection.execute(question)
            table = Table(*[column[0] for column in result.description], title=title, title_justify="left")
            for row in result.fetchall():
                table.add_row(*map(str, row))
            console.print(table)
        for (name,) in connection.execute("SELECT view_name FROM duckdb_views() WHERE NOT internal").fetchall():
            count = connection.execute(f'SELECT count(*) FROM "{name}"').fetchone()
            console.print(f"{name}: {count[0] if count else 0:,} rows")
    shown = path.relative_to(ROOT) if path.is_relative_to(ROOT) else path
    console.print(
        f"""
done in {time.monotonic() - began:.0f} s. To go on:
  source .venv/bin/activate
  lakehouse sql 'FROM sales_daily LIMIT 5'   # or open {shown} with DuckDB 1.x
  ./scripts/demo            # one more day of changes; only what changed is loaded
  ./scripts/demo --stop     # end the services""",
        highlight=False,
        soft_wrap=True,
    )


if __name__ == "__main__":
    typer.run(main)
