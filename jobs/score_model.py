"""spark-submit job: bring the tables of models' scores up to date, each by its champion.

spark-submit --properties-file spark-defaults.conf jobs/score_model.py --model churn
"""

import argparse
import sys

from lakehouse.orchestrate.application import main
from lakehouse.orchestrate.arguments import add_models, checked_models, scored
from lakehouse.orchestrate.runs import Kind, Plan
from lakehouse.orchestrate.work import Work

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_models(parser)
    arguments = checked_models(parser)
    plan = Plan(tables=tuple(target.dotted for target in scored(arguments.model, arguments.profile)))
    sys.exit(main(Work(kind=Kind.JOB, plan=plan), arguments.profile))
