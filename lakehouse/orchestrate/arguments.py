"""The command lines of the jobs: options that they share, checked before Spark starts."""

import argparse
import sys
from collections.abc import Iterable
from typing import NoReturn

from lakehouse.errors import ConfigurationError, LakehouseError, suggest
from lakehouse.orchestrate.runs import DayRange, Plan
from lakehouse.paths import TableName, check_identifier, gold, silver
from lakehouse.registry import loader
from lakehouse.registry.loader import Registry
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


def checked(parser: argparse.ArgumentParser) -> argparse.Namespace:
    """The parsed arguments; a mistake ends the process with code 2 and a message."""
    arguments = parser.parse_args()
    try:
        _split(arguments, "table")
        plan_of(arguments, ())
    except LakehouseError as error:
        parser.error(str(error))
    return arguments


def checked_models(parser: argparse.ArgumentParser) -> argparse.Namespace:
    """The same of a job for models."""
    arguments = parser.parse_args()
    try:
        _split(arguments, "model")
    except LakehouseError as error:
        parser.error(str(error))
    return arguments


def _split(arguments: argparse.Namespace, what: str) -> None:
    """Have the names of ``what`` one by one, however they were separated; :class:`ConfigurationError` for one that is none."""
    names = [name for item in getattr(arguments, what) for name in item.split(",") if name]
    for name in names:
        check_identifier(name, f"--{what}")
    setattr(arguments, what, names)


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
    registry = _registry(profile)
    wanted = {gold(name) if name in registry.transformers else silver(name) for name in names}
    known = [target for target in registry.targets() if target in wanted]
    return known + sorted(wanted - set(known), key=str)


def scored(names: list[str], profile: str | None) -> list[TableName]:
    """The table of scores of each model."""
    models = _registry(profile).models
    for name in names:
        if name not in models:
            _refuse(ConfigurationError(f"--model: the registry has no model {name!r}. {suggest(name, list(models))}"))
    return [gold(models[name].said.scores) for name in names]


def _registry(profile: str | None) -> Registry:
    """The registry of a profile; a mistake in one of them ends the process with its code and a message."""
    try:
        return loader.load(load_profile(profile).registry)
    except LakehouseError as error:
        _refuse(error)


def _refuse(error: LakehouseError) -> NoReturn:
    print(error, file=sys.stderr)
    sys.exit(int(error.exit_code))
