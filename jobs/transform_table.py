"""spark-submit job: transform tables of the registry: a source table into silver, a transformer's into gold.

spark-submit --properties-file spark-defaults.conf jobs/transform_table.py --table users global_user_activity_per_day
"""

import argparse
import sys

from lakehouse.orchestrate.application import Work, main
from lakehouse.orchestrate.arguments import add_common, checked, transformed

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_common(parser)
    arguments = checked(parser)
    tables = tuple(target.dotted for target in transformed(arguments.table, arguments.profile))
    sys.exit(
        main(
            Work(
                tables=tables,
                full_refresh=arguments.full_refresh,
                start=arguments.start,
                end=arguments.end,
                finish=False,
            ),
            arguments.profile,
        )
    )
