"""
Throws bytes at the lane and the gateway that nobody thought of: atheris changes the seeds, and keeps what reaches new
code. An hour of it:

    uv run --group fuzz python -m tests.fuzz --seconds 3600

Nothing may be raised or hang, and the wallet is called with the right token only, whatever the bytes and however they
are split. The first input that breaks a rule ends it with a status that is not 0, and is kept as it is in FOLDER/found.
To see what it does, without atheris:

    uv run python -m tests.fuzz FILE...
"""

from pathlib import Path

import click

HANG_SECONDS = 120
"""A run takes less than a thousandth of one; but a busy machine may let none go on for a while."""
INPUT_BYTES_MAX = 4000


@click.command()
@click.argument("files", nargs=-1, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--seconds", default=600, show_default=True)
@click.option("--seed", default=1, show_default=True)
@click.option("--folder", default="build/fuzz", show_default=True, type=click.Path(path_type=Path))
def main(files: tuple[Path, ...], seconds: int, seed: int, folder: Path) -> None:
    """Fuzz the lane, or try FILES once. What FOLDER has from an earlier run is gone on with."""
    if files:
        _try(files)
    else:
        _fuzz(seconds, seed, folder)


def _try(files: tuple[Path, ...]) -> None:
    from tests.fuzz.target import check  # noqa: PLC0415 - see below

    for file in files:
        click.echo(f"{file}: {check(file.read_bytes())}")


def _fuzz(seconds: int, seed: int, folder: Path) -> None:
    import atheris  # noqa: PLC0415 - of a dependency group of its own

    # Only what is imported here is watched.
    with atheris.instrument_imports(include=["walletbridge"]):
        from tests.fuzz.target import check  # noqa: PLC0415
    from tests.fuzz.seeds import WORDS, seeds  # noqa: PLC0415

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
