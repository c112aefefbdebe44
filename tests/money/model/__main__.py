"""
Deeper looks at the rules than the tests take: every order of steps with more faults in a run, and more walks at random.

    uv run python -m tests.money.model                    # three faults, which takes some minutes; then 5000 walks
    uv run python -m tests.money.model --faults 2 --walks 0
    uv run python -m tests.money.model --first 4711 --walks 1 --faults 0
"""

import sys

import click
from tests.money.model.explorer import explore
from tests.money.model.scenarios import scenarios
from tests.money.model.transaction import model
from tests.money.model.walk import Walk

STATES_MAX = 10_000_000
STEPS = 30


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--faults", default=3, show_default=True, type=click.IntRange(0), help="Of a run in every scenario.")
@click.option("--walks", default=5000, show_default=True, type=click.IntRange(0), help="At random.")
@click.option("--first", default=0, show_default=True, help="The seed of the first walk.")
def main(*, faults: int, walks: int, first: int) -> None:
    """Look for a way in which money is lost or moves twice, and show it."""
    is_wrong = False
    for name, setting in scenarios(faults).items():
        found = explore(model(setting), states_max=STATES_MAX)
        click.echo(f"{name}, {faults} faults: {found}")
        is_wrong |= bool(found.wrong)
    wrong = [wrong for seed in range(first, first + walks) if (wrong := Walk(seed).wrong(STEPS))]
    click.echo("\n".join([*wrong, f"{walks} walks of {STEPS} steps: {len(wrong)} wrong"]))
    sys.exit(1 if is_wrong or wrong else 0)


if __name__ == "__main__":
    main()
