"""spark-submit job: train models of the registry, judge them, and promote those that are better than what was before.

spark-submit --properties-file spark-defaults.conf jobs/train_model.py --model churn
"""

import argparse
import sys

from lakehouse.orchestrate.application import main
from lakehouse.orchestrate.arguments import add_models, checked_models
from lakehouse.orchestrate.runs import Kind, Plan
from lakehouse.orchestrate.work import Work
from lakehouse.paths import Layer, TableName

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_models(parser)
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--anew", action="store_true", help="train although it is not due")
    how.add_argument(
        "--again",
        type=int,
        metavar="VERSION",
        help="train this version again from what it was trained from, and compare",
    )
    arguments = checked_models(parser)
    plan = Plan(
        tables=tuple(TableName(Layer.MODEL, name).dotted for name in arguments.model),
        full_refresh=arguments.anew,
        again={} if arguments.again is None else dict.fromkeys(arguments.model, arguments.again),
    )
    sys.exit(main(Work(kind=Kind.JOB, plan=plan), arguments.profile))
