"""The command lines of the jobs: options that they share, checked before Spark starts."""

import argparse
import sys
from datetime import date

from lakehouse.errors import LakehouseError
from lakehouse.paths import TableName, check_identifier, gold, silver
from lakehouse.registry import loader
from lakehouse.settings import load_profile


def add_common(parser: argparse.ArgumentParser) -> None:
    """Add the options of every job."""
    parser.add_argument("--table", nargs="+", required=True, metavar="TABLE", help="names of the registry")
    parser.add_argument(
        "--profile", help="a file of conf/, without its suffix (default: LAKEHOUSE_PROFILE, else embedded)"
    )
    parser.add_argument("--full-refresh", action="store_true", help="load everything again and replace what is there")
    parser.add_argument(
        "--from", dest="start", default="", metavar="DAY", help="replay from this day (YYYY-MM-DD, UTC)"
    )
    parser.add_argument("--to", dest="end", default="", metavar="DAY", help="to this one, included")


def checked(parser: argparse.ArgumentParser) -> argparse.Namespace:
    """The parsed arguments; a mistake ends the process with code 2 and a message."""
    arguments = parser.parse_args()
    if bool(arguments.start) != bool(arguments.end):
        parser.error("--from and --to come together")
    try:
        for day in (arguments.start, arguments.end):
            if day:
                date.fromisoformat(day)
        for name in arguments.table:
            check_identifier(name, "--table")
    except (ValueError, LakehouseError) as error:
        parser.error(str(error))
    return arguments


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
