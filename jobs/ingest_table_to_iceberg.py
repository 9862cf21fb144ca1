"""spark-submit job: bring tables of the registry from their sources into Iceberg raw.

spark-submit --properties-file spark-defaults.conf jobs/ingest_table_to_iceberg.py --table users groups
"""

import argparse
import sys

from lakehouse.orchestrate.application import main
from lakehouse.orchestrate.arguments import add_common, checked, plan_of
from lakehouse.orchestrate.runs import Kind
from lakehouse.orchestrate.work import Work
from lakehouse.paths import raw

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_common(parser)
    parser.add_argument(
        "--accept-deletes", nargs="+", default=[], metavar="TABLE", help="tables whose vanished rows are meant"
    )
    arguments = checked(parser)
    plan = plan_of(arguments, [raw(name) for name in arguments.table])
    sys.exit(main(Work(kind=Kind.JOB, plan=plan), arguments.profile))
