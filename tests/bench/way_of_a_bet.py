"""
The way of one bet through the house, from the gateway's door to the line in the log.

    uv run python -m tests.bench.way_of_a_bet

Prints each file whose functions ran, in the order of the first call, and the numbers of rooms and files. A real wallet
and a real journal answer two bets; the second one is counted, when every connection and cache is warm.
"""

import asyncio
import io
import sys
import threading
from pathlib import Path
from tempfile import TemporaryDirectory
from types import FrameType

from tests.support.callbacks import body, make_callback
from tests.support.scripted_wallet import HOST, OK, running_wallet

import walletbridge
from walletbridge.gateway.gateway import Request
from walletbridge.gateway.running_gateway import Bridge
from walletbridge.gateway.tokens import Tokens
from walletbridge.observe.log import open_log
from walletbridge.observe.trace import Trace
from walletbridge.settings import Deadlines, Journal, Settings, Wallet

PACKAGE = Path(walletbridge.__file__).parent
CONNECT_SECONDS = 10.0
REST_SECONDS = 0.2
"""Until the journal's thread has finished the first bet."""


class Way:
    """Files of the package, in the order in which a function of each first ran."""

    def __init__(self) -> None:
        self.files: dict[str, None] = {}

    def __call__(self, frame: FrameType, event: str, _: object) -> None:
        """Takes one event of `sys.setprofile`."""
        path = Path(frame.f_code.co_filename)
        if event == "call" and path.is_relative_to(PACKAGE):
            self.files.setdefault(path.relative_to(PACKAGE).as_posix())

    @property
    def rooms(self) -> list[str]:
        """The rooms of the files, each once."""
        return list(dict.fromkeys(file.split("/")[0] for file in self.files))


async def way_of_a_bet(folder: Path) -> Way:
    """Answers one bet and returns its way. Raises RuntimeError if the wallet does not answer."""
    way = Way()
    async with running_wallet() as (wallet, port):
        wallet.script("PlaceBet", OK)
        settings = Settings(
            wallet=Wallet(target=f"{HOST}:{port}"),
            journal=Journal(path=folder / "journal.db"),
            # A function that is traced takes many times as long.
            deadlines=Deadlines(bet=60.0),
        )
        # The journal's thread starts with the gateway, and is traced from its start.
        threading.setprofile(way)
        bridge = Bridge(settings, Tokens([b"token"]), open_log(lines_max=100, stream=io.StringIO()))
        threading.setprofile(None)
        try:
            await bridge.wallet_seen(CONNECT_SECONDS)
            await _bet(bridge, 1)
            await asyncio.sleep(REST_SECONDS)
            way.files.clear()
            sys.setprofile(way)
            await _bet(bridge, 2)
            sys.setprofile(None)
        finally:
            await bridge.stop()
    return way


async def _bet(bridge: Bridge, trans_id: int) -> None:
    request = Request(
        "POST", has_token=True, body=body(make_callback("bet", trans_id=trans_id)), received_at=bridge.clock()
    )
    answer = await bridge.answer(request, Trace())
    if answer.result != 0:
        raise RuntimeError(f"the bet was answered {answer}")


def main() -> None:
    """Prints the way."""
    with TemporaryDirectory(prefix="walletbridge-way-") as folder:
        way = asyncio.run(way_of_a_bet(Path(folder)))
    print(*way.files, sep="\n")  # noqa: T201 - a program for people
    print(f"{len(way.rooms)} rooms ({', '.join(way.rooms)}), {len(way.files)} files")  # noqa: T201 - see above


if __name__ == "__main__":
    main()
