"""
The other extreme: no mitmproxy, an aiohttp server that checks the token and calls the wallet. `python -m` starts it.
"""

import asyncio
import os
from hmac import compare_digest

from aiohttp import web
from tests.bench.by_hand import Wallet, announce
from tests.bench.load import TOKEN_VARIABLE

WRONG_TOKEN = b'{"result":100,"status":"ERROR"}'


async def serve() -> None:
    """Serves until it is ended from outside."""
    wallet = Wallet()
    token = os.environ[TOKEN_VARIABLE].encode()

    async def answer(request: web.Request) -> web.Response:
        if not compare_digest(request.headers.get("Callback-Token", "").encode(), token):
            return web.Response(body=WRONG_TOKEN, content_type="application/json")
        return web.Response(body=await wallet.answer(await request.read()), content_type="application/json")

    application = web.Application()
    application.router.add_post("/callback", answer)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    announce([f"{host}:{port}" for host, port, *_ in runner.addresses])
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(serve())
