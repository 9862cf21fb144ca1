"""spark-submit job: bring tables of the registry from their sources into Iceberg raw.

spark-submit --properties-file spark-defaults.conf jobs/ingest_table_to_iceberg.py --table users groups
"""

import argparse
import sys

from lakehouse.orchestrate.application import Work, main
from lakehouse.orchestrate.arguments import add_common, checked
from lakehouse.paths import raw

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_common(parser)
    parser.add_argument(
        "--accept-deletes", nargs="+", default=[], metavar="TABLE", help="tables whose vanished rows are meant"
    )
    arguments = checked(parser)
    sys.exit(
        main(
            Work(
                tables=tuple(raw(name).dotted for name in arguments.table),
                full_refresh=arguments.full_refresh,
                start=arguments.start,
                end=arguments.end,
                accept_deletes=tuple(arguments.accept_deletes),
                finish=False,
            ),
            arguments.profile,
        )
    )
