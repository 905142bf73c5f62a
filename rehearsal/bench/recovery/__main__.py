"""Measure all parts of this folder one after the other, or a single part: `python -m bench.recovery [--only PART] [...]`."""

import argparse
import importlib
import sys
from importlib.util import find_spec

PARTS = ("way_back", "watch")  # in the order of their modules


def main() -> int:
    """Measure; a missing module is skipped."""
    given = argparse.ArgumentParser(description=__doc__)
    given.add_argument("--only", choices=PARTS)
    options, rest = given.parse_known_args()
    wanted = [options.only] if options.only else PARTS
    found = [name for name in wanted if find_spec(f"bench.recovery.{name}")]
    statuses = [importlib.import_module(f"bench.recovery.{name}").main(rest) for name in found]
    return max(statuses, default=2)


if __name__ == "__main__":
    sys.exit(main())
