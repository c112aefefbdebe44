"""
Money under faults: provider, network, gateway and wallet, each of which may fail at any moment, and then the question
whether all agree on every transaction.

    uv run python -m tests.money.faults                          # 20 seeds, 300 callbacks each
    uv run python -m tests.money.faults --seeds 300
    uv run python -m tests.money.faults --seed 17                # one run again
    uv run python -m tests.money.faults --wallet debit-credit    # against a wallet of config/examples
    uv run python -m tests.money.faults --world files            # one world in every run
    uv run python -m tests.money.faults.scenarios --help         # plays with one fault each

Each seed draws which faults a run has, and in which worlds (`worlds.py`) it takes place; odd ones have two
gateways on one journal, even ones one. The gateways and the wallet are processes of their own; a proxy between the
provider and the gateways cuts, stalls and loses. All times are a tenth of the protocol's; on a busy machine `--scale 4`
leaves more room. After the traffic the faults end, bets must be answered as usual soon, and once the journal is at rest
the provider's book, the wallet's ledger and the journal are compared: a transaction on which they differ must be one
that the journal lists for a person, or of which the gateway could not know.

What a seed repeats is the faults and the players' moves, not the order in which the machine lets them meet.
"""

import asyncio
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import click
from tests.examples.catalog import WALLETS
from tests.money.faults.plan import SCALE, Plan, bared, gateways_for, plan_for
from tests.money.faults.processes import cancel_on_sigterm
from tests.money.faults.report import print_result, print_summary
from tests.money.faults.run import Result, run
from tests.money.faults.worlds import World


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--seeds", default=20, show_default=True, type=click.IntRange(1), help="How many runs.")
@click.option("--first", default=1, show_default=True, help="The seed of the first.")
@click.option("--seed", type=int, help="This run alone.")
@click.option("--callbacks", default=300, show_default=True, type=click.IntRange(10), help="Callbacks in each run.")
@click.option("--gateways", type=click.IntRange(1, 4), help="Processes on one journal, in every run.")
@click.option("--wallet", type=click.Choice(list(WALLETS)), help="An example wallet instead of the demo wallet.")
@click.option(
    "--world",
    "worlds",
    multiple=True,
    type=click.Choice([str(world) for world in World]),
    help="In every run, alone; repeatable.",
)
@click.option("--plain", is_flag=True, help="Single faults alone, without any world.")
@click.option("--bare", is_flag=True, help="The worlds alone, without any single fault.")
@click.option("--jobs", default=2, show_default=True, type=click.IntRange(1), help="Runs at the same time.")
@click.option("--scale", default=SCALE, show_default=True, type=click.FloatRange(1, 20), help="Divides all times.")
@click.option("--keep", type=click.Path(path_type=Path), help="Where the logs of failing runs stay.")
def main(  # noqa: PLR0913 - one for each option
    *,
    seeds: int,
    first: int,
    seed: int | None,
    callbacks: int,
    gateways: int | None,
    wallet: str | None,
    worlds: tuple[World, ...],
    plain: bool,
    bare: bool,
    jobs: int,
    scale: float,
    keep: Path | None,
) -> None:
    """Play callbacks under faults, and compare the books."""
    numbers = [seed] if seed is not None else list(range(first, first + seeds))
    folder = keep or Path(tempfile.mkdtemp(prefix="walletbridge-faults-"))
    # Among people the gateways run as a user of their own, who must get into it.
    folder.mkdir(exist_ok=True)
    folder.chmod(0o755)

    def plan(number: int) -> Plan:
        example = WALLETS[wallet] if wallet else None
        processes = gateways or gateways_for(number)
        chosen = frozenset(map(World, worlds)) if worlds or plain else None
        found = plan_for(number, callbacks=callbacks, gateways=processes, scale=scale, example=example, worlds=chosen)
        return bared(found) if bare else found

    results = asyncio.run(_run_all(numbers, plan, folder, jobs=jobs))
    print_summary(results)
    sys.exit(0 if all(result.is_right for result in results) else 1)


async def _run_all(seeds: list[int], plan: Callable[[int], Plan], folder: Path, *, jobs: int) -> list[Result]:
    """
    All runs, some at a time; tells of each in the order of `seeds`.

    What is under way ends with its processes when the bench is told to end.
    """
    places = asyncio.Semaphore(jobs)

    async def make(seed: int) -> Result:
        async with places:
            own = folder / f"seed-{seed}"
            shutil.rmtree(own, ignore_errors=True)
            own.mkdir(parents=True)
            return await _run(plan(seed), own)

    cancel_on_sigterm()
    results: list[Result] = []
    async with asyncio.TaskGroup() as group:
        for run_of_seed in [group.create_task(make(seed)) for seed in seeds]:
            results.append(await run_of_seed)
            _tell(results[-1])
    return results


async def _run(plan: Plan, folder: Path) -> Result:
    try:
        result = await run(plan, folder)
    except Exception as error:  # noqa: BLE001 - the other runs go on
        result = Result(plan, folder, wrong=[f"the run ended early: {error!r}"])
    if result.is_right:
        shutil.rmtree(folder)
    return result


def _tell(result: Result) -> None:
    plan = result.plan
    again = f"tests.money.faults --seed {plan.seed} --callbacks {plan.callbacks} --gateways {plan.gateways}"
    wallet = f" --wallet {plan.example}" if plan.example else ""
    worlds = "".join(f" --world {world}" for world in World if world in plan.worlds) or " --plain"
    print_result(result, again=f"{again} --scale {plan.scale:g}{wallet}{worlds}{' --bare' * plan.is_bare}")


if __name__ == "__main__":
    main()
