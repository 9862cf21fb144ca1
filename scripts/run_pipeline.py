#!/usr/bin/env python3
"""The master script, for a scheduler: `lakehouse run` under the name of a file, with its options and exit codes."""

import sys

from lakehouse.cli.main import app

if __name__ == "__main__":
    app(["run", *sys.argv[1:]], prog_name="lakehouse")
