"""
The lane of `serve` and mitmproxy's own HTTP flow say the same to the same requests, and to the wallet. More of them:

    uv run python -m tests.process.test_both_lanes 10000
"""

import asyncio
import sys
import tempfile
from pathlib import Path
from typing import Any

from tests.process.traffic import Recorded, recorded
from tests.support.processes import (
    Way,
    arguments,
    at_once,
    connected,
    read_answer,
    running,
    running_wallet,
    write_settings,
)

COUNT = 400
QUIET = {"settle_wins": False, "settle_bets": False}
"""When the resolver calls the wallet is a matter of time, not of the lane."""
SEED = 20261123
type Seen = tuple[list[tuple[int, bytes]], dict[str, int], list[dict[str, Any]]]
"""The answers, the calls of the wallet by method, and its players at the end."""


async def seen(folder: Path, way: Way, requests: list[Recorded]) -> Seen:
    """What comes of the requests, one after the other, with a wallet and a journal of their own."""
    home = folder / way
    home.mkdir()
    async with running_wallet(home, "rich") as wallet:
        wallet.ledger.add_player("poor", 100)
        config = write_settings(home, wallet_port=wallet.port, status_cache={"size": 0}, journal=QUIET)
        async with running(arguments(way, config), home) as gateway:
            answers = []
            async with connected(gateway) as (reader, writer):
                for data, cuts in requests:
                    for begin, end in zip((0, *cuts), (*cuts, len(data)), strict=True):
                        writer.write(data[begin:end])
                        # Lets the piece go out by itself.
                        await asyncio.sleep(0)
                        await writer.drain()
                    answers.append(await asyncio.wait_for(read_answer(reader), 30))
            return answers, dict(wallet.wallet.calls), wallet.ledger.dump()["players"]


async def compare(folder: Path, count: int) -> list[str]:
    """The differences, in words; those of the first requests first."""
    requests = recorded(count, seed=SEED)
    (serve, *serve_wallet), (mitmdump, *mitmdump_wallet) = await at_once(seen(folder, way, requests) for way in Way)
    different = [
        f"{number}: {request.data[:300]!r}: {one} and {other}"
        for number, (request, one, other) in enumerate(zip(requests, serve, mitmdump, strict=True))
        if one != other
    ]
    return different + [
        f"{one} and {other}" for one, other in zip(serve_wallet, mitmdump_wallet, strict=True) if one != other
    ]


async def test_both_say_the_same(tmp_path: Path) -> None:
    assert await compare(tmp_path, COUNT) == []


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as name:
        differences = asyncio.run(compare(Path(name), int(sys.argv[1])))
    print(*differences[:10], f"{len(differences)} differences", sep="\n")  # noqa: T201 - what the command is asked for
    sys.exit(bool(differences))
