"""spark-submit job: run a plan that `lakehouse run` made, many tables in one application."""

import argparse
import sys

from lakehouse.orchestrate.application import main
from lakehouse.orchestrate.work import Work

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--profile", help="a file of conf/, without its suffix (default: LAKEHOUSE_PROFILE, else embedded)"
    )
    parser.add_argument("--work", required=True, help="what to do, as JSON")
    arguments = parser.parse_args()
    sys.exit(main(Work.model_validate_json(arguments.work), arguments.profile))
