"""What a small load costs after a year of days: its 366th beside the second of a new table.

Both tables are of the same kind, in a PostgreSQL of the benchmark's own, and their loads take turns in one process: neither
finds another machine, nor code that is better compiled.
"""

import json
import shutil
import statistics
from typing import Annotated

import typer

from bench.common import HOME, environment, own_services, profile, result, say, timed
from lakehouse.orchestrate.launch import application
from scripts.services.settings import ROOT

#: Loads on either side that are timed, the second to the sixth and the last five, of which the medians are told.
_NEIGHBOURS = 5


def main(
    loads: Annotated[int, typer.Option(min=20, help="Loads, the first one included.")] = 366,
    json_output: Annotated[bool, typer.Option("--json", help="Print one JSON object last.")] = False,
) -> None:
    """Measure small loads of one table over a year."""
    lake = HOME / "year"
    told = lake / "seconds.json"
    shutil.rmtree(lake, ignore_errors=True)
    job = str(ROOT / "bench" / "jobs" / "year.py")
    with own_services("postgres"):
        env = environment(lake, PYTHONPATH=str(ROOT))  # the job asks for the services
        timed(application(profile(), job, [str(loads), str(_NEIGHBOURS), str(told)]).command, env)
    found = json.loads(told.read_text())
    second, last = (statistics.median(found[side]) for side in ("second", "last"))
    for first in range(1, len(found["before"]), 50):
        part = found["before"][first : first + 50]
        say(
            f"  loads {first + 1} to {first + len(part)}: median {statistics.median(part):.3f} s, longest {max(part):.3f} s"
        )
    say(f"second to sixth load: {second:.3f} s; the last five of {loads}: {last:.3f} s")
    values = {"second_s": round(second, 3), "last_s": round(last, 3), "ratio": round(last / second, 2), "loads": loads}
    result(values, as_json=json_output)


if __name__ == "__main__":
    typer.run(main)
