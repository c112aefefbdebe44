"""
The entry point of `python -m walletbridge` and of `walletbridge`: sets the signal handlers before all other imports.
"""

import sys

from walletbridge.serve.signals import code_of, handle_from_the_start


def main() -> None:
    """Handles signals, then runs `cli.main`: its imports take long enough for one to arrive."""
    handle_from_the_start(sys.argv[1] if len(sys.argv) > 1 else "")
    from walletbridge.cli import main as run  # noqa: PLC0415 - only now

    try:
        run()
    except SystemExit as end:
        end.code = code_of(end.code)  # type: ignore[assignment]
        raise


if __name__ == "__main__":
    main()
