"""
The example wallets as programs, for whoever wants to talk to one.

    uv run python -m tests.examples debit-credit --listen 127.0.0.1:50051 --db wallet.db

The players of the demo are in it: `test1234` has 5000 units. Ctrl-C ends it.
"""

import asyncio
import signal
from contextlib import closing
from pathlib import Path

import click
from tests.examples.books import Books
from tests.examples.catalog import WALLETS
from tests.examples.server import WalletServer

_GRACE_SECONDS = 2.0


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("name", type=click.Choice(list(WALLETS)))
@click.option("--listen", default="127.0.0.1:50051", show_default=True, metavar="HOST:PORT", help="Port 0: any.")
@click.option("--db", type=click.Path(path_type=Path), default=":memory:", help="Its books; in memory by default.")
def main(*, name: str, listen: str, db: Path) -> None:
    """Run the example wallet NAME."""
    try:
        asyncio.run(_serve(name, listen, db))
    except OSError as error:
        raise click.ClickException(str(error)) from None


async def _serve(name: str, listen: str, db: Path) -> None:
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    with closing(Books(db)) as books:
        books.seed_demo_players()
        server = WalletServer(WALLETS[name](books))
        port = await server.start(listen)
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, stopping.set)
        click.echo(f"{name} listens on port {port}")
        await stopping.wait()
        await server.stop(_GRACE_SECONDS)


if __name__ == "__main__":
    main()
