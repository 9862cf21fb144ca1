"""spark-submit job: transform tables of the registry: a source table into silver, a transformer's into gold.

spark-submit --properties-file spark-defaults.conf jobs/transform_table.py --table users global_user_activity_per_day
"""

import argparse
import sys

from lakehouse.orchestrate.application import main
from lakehouse.orchestrate.arguments import add_common, checked, plan_of, transformed
from lakehouse.orchestrate.runs import Kind
from lakehouse.orchestrate.work import Work

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_common(parser)
    arguments = checked(parser)
    plan = plan_of(arguments, transformed(arguments.table, arguments.profile))
    sys.exit(main(Work(kind=Kind.JOB, plan=plan), arguments.profile))
