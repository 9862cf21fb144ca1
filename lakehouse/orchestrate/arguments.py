"""The command lines of the jobs: options that they share, checked before Spark starts."""

import argparse
import sys
from collections.abc import Iterable

from lakehouse.errors import ConfigurationError, LakehouseError, suggest
from lakehouse.orchestrate.runs import DayRange, Plan
from lakehouse.paths import TableName, check_identifier, gold, silver
from lakehouse.registry import loader
from lakehouse.settings import load_profile


def add_common(parser: argparse.ArgumentParser) -> None:
    """Add the options of every job that makes tables."""
    _add_names(parser, "--table", "--tables")
    parser.add_argument("--full-refresh", action="store_true", help="load everything again and replace what is there")
    parser.add_argument(
        "--from", dest="start", default="", metavar="DAY", help="replay from this day (YYYY-MM-DD, UTC)"
    )
    parser.add_argument("--to", dest="end", default="", metavar="DAY", help="to this one, included")


def add_models(parser: argparse.ArgumentParser) -> None:
    """Add the options of every job for models."""
    _add_names(parser, "--model", "--models")


def _add_names(parser: argparse.ArgumentParser, *flags: str) -> None:
    parser.add_argument(
        *flags, nargs="+", required=True, metavar=flags[0].strip("-").upper(), dest=flags[0].strip("-"),
        help="names of the registry, separated by spaces or, as for lakehouse run, by commas",
    )  # fmt: skip
    parser.add_argument(
        "--profile", help="a file of conf/, without its suffix (default: LAKEHOUSE_PROFILE, else embedded)"
    )


def checked_models(parser: argparse.ArgumentParser) -> argparse.Namespace:
    """The parsed arguments of a job for models; a mistake ends the process with code 2 and a message."""
    arguments = parser.parse_args()
    arguments.model = [name for item in arguments.model for name in item.split(",") if name]
    try:
        for name in arguments.model:
            check_identifier(name, "--model")
    except LakehouseError as error:
        parser.error(str(error))
    return arguments


def scored(names: list[str], profile: str | None) -> list[TableName]:
    """The table of scores of each model."""
    try:
        models = loader.load(load_profile(profile).registry).models
        for name in names:
            if name not in models:
                raise ConfigurationError(f"--model: the registry has no model {name!r}. {suggest(name, list(models))}")
    except LakehouseError as error:
        print(error, file=sys.stderr)
        sys.exit(int(error.exit_code))
    return [gold(models[name].said.scores) for name in names]


def checked(parser: argparse.ArgumentParser) -> argparse.Namespace:
    """The parsed arguments; a mistake ends the process with code 2 and a message."""
    arguments = parser.parse_args()
    arguments.table = [name for item in arguments.table for name in item.split(",") if name]
    try:
        for name in arguments.table:
            check_identifier(name, "--table")
        plan_of(arguments, ())
    except LakehouseError as error:
        parser.error(str(error))
    return arguments


def plan_of(arguments: argparse.Namespace, targets: Iterable[TableName]) -> Plan:
    """What the arguments ask for of ``targets``.

    Raises:
        ConfigurationError: days that are none, or given with a full refresh.
    """
    return Plan(
        tables=tuple(target.dotted for target in targets),
        full_refresh=arguments.full_refresh,
        window=DayRange.parse(arguments.start, arguments.end),
        accept_deletes=tuple(getattr(arguments, "accept_deletes", ())),
    )


def transformed(names: list[str], profile: str | None) -> list[TableName]:
    """The silver or gold table of each name, in the order in which they need each other."""
    try:
        registry = loader.load(load_profile(profile).registry)
    except LakehouseError as error:
        print(error, file=sys.stderr)
        sys.exit(int(error.exit_code))
    wanted = {gold(name) if name in registry.transformers else silver(name) for name in names}
    known = [target for target in registry.targets() if target in wanted]
    return known + sorted(wanted - set(known), key=str)
