"""
The baseline: the first mitmproxy addon that one would write for callbacks. Loaded with `mitmdump -s`.
"""

from mitmproxy import ctx, http
from tests.bench.by_hand import Wallet, announce


class NaiveAddon:
    """Asks nobody for a token."""

    def running(self) -> None:
        """Connects to the wallet and says where the proxy listens."""
        self._wallet = Wallet()
        proxyserver = ctx.master.addons.get("proxyserver")  # type: ignore[no-untyped-call]
        announce([f"{host}:{port}" for host, port, *_ in proxyserver.listen_addrs()])

    async def request(self, flow: http.HTTPFlow) -> None:
        """Answers a callback."""
        if flow.request.path == "/callback":
            body = await self._wallet.answer(flow.request.content or b"")
            flow.response = http.Response.make(200, body, {"Content-Type": "application/json"})


addons = [NaiveAddon()]
