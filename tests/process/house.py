"""What the fixture `house` gives to a test."""

from dataclasses import dataclass
from pathlib import Path

import aiohttp
from tests.process.upstream import Upstream
from tests.support.processes import RunningWallet, Way

from walletbridge.demo.gateway_process import GatewayProcess

PLAYER = "test1234"


@dataclass(frozen=True, slots=True)
class House:
    """A wallet and an upstream, with the gateway in both ways of running it between them and a client."""

    folder: Path
    """A gateway's journal is in the folder of its name."""
    wallet: RunningWallet
    upstream: Upstream
    gateways: dict[Way, GatewayProcess]
    client: aiohttp.ClientSession

    def url(self, way: Way, path: str = "/callback") -> str:
        """Of a path of the gateway."""
        return f"http://{self.gateways[way].address}{path}"

    def players(self, **units: int) -> None:
        """Gives accounts their balances, in whole units; other accounts keep theirs."""
        for account, balance in units.items():
            self.wallet.ledger.add_player(account, balance * 100)
