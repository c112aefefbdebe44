"""
Where the command begins, `python -m walletbridge` as well as `walletbridge`: the signals first, then all else.
"""

import sys

from walletbridge.serve.signals import code_of, handle_from_the_start


def main() -> None:
    """See `cli.main`, whose imports take long enough for a signal to come."""
    handle_from_the_start(sys.argv[1] if len(sys.argv) > 1 else "")
    from walletbridge.cli import main as run  # noqa: PLC0415 - only now

    try:
        run()
    except SystemExit as end:
        end.code = code_of(end.code)  # type: ignore[assignment]
        raise


if __name__ == "__main__":
    main()
