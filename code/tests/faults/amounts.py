"""How much is tried: a little in every run of the tests, much in ``make faults``."""

import os

LONG = os.environ.get("SHELLAC_FAULTS") == "long"


def amount(short: int, long: int) -> int:
    """Return the count for this run."""
    return long if LONG else short
