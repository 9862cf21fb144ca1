"""Where commands print: results to standard output, what is said of them to standard error."""

import sys

from rich.console import Console

_WIDTH_OF_A_FILE = 120

ERRORS = Console(stderr=True)


def results() -> Console:
    """Standard output; as wide as the terminal, and 120 columns where it is none."""
    return Console(width=None if sys.stdout.isatty() else _WIDTH_OF_A_FILE)
