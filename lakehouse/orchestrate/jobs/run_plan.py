"""spark-submit job: run a plan that `lakehouse run` made, many tables in one application."""

import argparse
import re
import sys
from importlib.machinery import PathFinder

#: What spark-submit puts before the installed packages: archives, of which Python compiles each module at each start.
_ARCHIVE = re.compile(r".*(?:pyspark|py4j-[\d.]+-src)\.zip")


def _prefer_installed() -> None:
    """Import Spark's Python from where it is installed, unless it is only in spark-submit's archives."""
    installed = [path for path in sys.path if not _ARCHIVE.fullmatch(path)]
    if all(PathFinder.find_spec(name, installed) for name in ("pyspark", "py4j")):
        sys.path[:] = installed


if __name__ == "__main__":
    _prefer_installed()
    from lakehouse.orchestrate.application import main
    from lakehouse.orchestrate.work import Work

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--profile", help="a file of conf/, without its suffix (default: LAKEHOUSE_PROFILE, else embedded)"
    )
    parser.add_argument("--work", required=True, help="what to do, as JSON")
    arguments = parser.parse_args()
    sys.exit(main(Work.model_validate_json(arguments.work), arguments.profile))
