"""
Throws bytes at the lane and the gateway that nobody thought of: atheris changes the seeds, and keeps what reaches new
code. An hour of it:

    uv run --group fuzz python -m tests.fuzz --seconds 3600
    uv run --group fuzz python -m tests.fuzz --seconds 3600 --target http2 --folder build/fuzz-http2
    uv run --group fuzz python -m tests.fuzz --seconds 3600 --target order --folder build/fuzz-order

Nothing may be raised or hang, and the wallet is called with the right token only, whatever the bytes and however they
are split; and whatever happens to a connection in whatever order, it ends and takes nothing with it (`order`). What
breaks a rule first ends it with a status that is not 0, and is kept as it is in FOLDER/found.
To see what it does, without atheris:

    uv run python -m tests.fuzz [--target NAME] FILE...
"""

from collections.abc import Callable
from pathlib import Path

import click

HANG_SECONDS = 120
"""A run takes less than a thousandth of one; but a busy machine may let none go on for a while."""
INPUT_BYTES_MAX = 4000


@click.command()
@click.argument("files", nargs=-1, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--target", type=click.Choice(["lane", "http2", "order"]), default="lane", show_default=True)
@click.option("--seconds", default=600, show_default=True)
@click.option("--seed", default=1, show_default=True)
@click.option("--folder", default="build/fuzz", show_default=True, type=click.Path(path_type=Path))
def main(files: tuple[Path, ...], target: str, seconds: int, seed: int, folder: Path) -> None:
    """Fuzz one TARGET, or try FILES once. What FOLDER has from an earlier run is gone on with."""
    if files:
        check = _target(target)[0]
        for file in files:
            click.echo(f"{file}: {check(file.read_bytes())}")
    else:
        _fuzz(target, seconds, seed, folder)


def _target(name: str) -> tuple[Callable[[bytes], object], Callable[[], list[bytes]]]:
    """What is fuzzed, and what it begins with."""
    if name == "http2":
        from tests.fuzz.http2 import check_http2  # noqa: PLC0415 - see below
        from tests.fuzz.http2_seeds import http2_seeds  # noqa: PLC0415

        return check_http2, http2_seeds
    if name == "order":
        from tests.fuzz.order import check_order, order_seeds  # noqa: PLC0415

        return check_order, order_seeds
    from tests.fuzz.seeds import seeds  # noqa: PLC0415
    from tests.fuzz.target import check  # noqa: PLC0415

    return check, seeds


def _fuzz(target: str, seconds: int, seed: int, folder: Path) -> None:
    import atheris  # noqa: PLC0415 - of a dependency group of its own

    # Only what is imported here is watched.
    with atheris.instrument_imports(include=["walletbridge"]):
        check, seeds = _target(target)
    from tests.fuzz.seeds import WORDS  # noqa: PLC0415

    inputs, found, words = folder / "inputs", folder / "found", folder / "words"
    for made in (inputs, found):
        made.mkdir(parents=True, exist_ok=True)
    for number, data in enumerate(seeds()):
        (inputs / f"seed-{number}").write_bytes(data)
    words.write_text("".join(f'"{"".join(f"\\x{byte:02x}" for byte in word)}"\n' for word in WORDS), "ascii")

    def one(data: bytes) -> None:
        check(data)

    options = {
        "max_total_time": seconds,
        "seed": seed,
        "timeout": HANG_SECONDS,
        "max_len": INPUT_BYTES_MAX,
        "dict": words,
        "artifact_prefix": f"{found}/",
        "print_final_stats": 1,
    }
    atheris.Setup(["fuzz", *(f"-{name}={value}" for name, value in options.items()), str(inputs)], one)
    # Ends the process.
    atheris.Fuzz()


if __name__ == "__main__":
    main()
