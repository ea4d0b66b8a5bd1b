"""The command line: parse, call, print. Rooms are imported when a command needs them, so that `--help` is quick."""

import sys
from collections.abc import Sequence

import cyclopts

from twelvelead.app import (
    auditing,
    benchmarking,
    conversing,
    embedding,
    encoding,
    external,
    instructing,
    interpreting,
    judging,
    recordings,
    studies,
    verifying,
)
from twelvelead.app.shell import BAD_INPUT, INTERRUPTED, MISSING_EXTRA, OK, USAGE, app

COMMANDS = (
    recordings,
    studies,
    external,
    judging,
    encoding,
    embedding,
    benchmarking,
    auditing,
    verifying,
    instructing,
    interpreting,
    conversing,
)
"""The modules whose commands there are."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit status."""
    from twelvelead.app.show import complain

    try:
        return int(app(argv, exit_on_error=False, result_action="return_value") or OK)
    except cyclopts.CycloptsError:
        return USAGE
    except KeyboardInterrupt:
        complain("interrupted; run the same command again to go on from there.")
        return INTERRUPTED
    except (ValueError, OSError) as error:
        from twelvelead.terms import Error, MissingExtra

        if not isinstance(error, Error | OSError):
            raise
        complain(str(error))
        return MISSING_EXTRA if isinstance(error, MissingExtra) else BAD_INPUT


if __name__ == "__main__":
    sys.exit(main())
