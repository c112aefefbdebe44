"""
The other extreme: no mitmproxy, an aiohttp server that checks the token and calls the wallet. `python -m` starts it; an
argument says how many processes share the port.
"""

import asyncio
import multiprocessing
import os
import signal
import socket
import ssl
import sys
from hmac import compare_digest

from aiohttp import web
from tests.bench.by_hand import CERT_VARIABLE, KEY_VARIABLE, Wallet, announce
from tests.bench.load import TOKEN_VARIABLE

WRONG_TOKEN = b'{"result":100,"status":"ERROR"}'
BACKLOG = 1024


async def serve(listener: socket.socket) -> None:
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
    await web.SockSite(runner, listener, ssl_context=_tls()).start()
    announce([f"{host}:{port}" for host, port, *_ in runner.addresses])
    await asyncio.Event().wait()


def _tls() -> ssl.SSLContext | None:
    if CERT_VARIABLE not in os.environ:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(os.environ[CERT_VARIABLE], os.environ[KEY_VARIABLE])
    return context


def _serve(listener: socket.socket) -> None:
    asyncio.run(serve(listener))


def main(processes: int) -> None:
    """Serves until it is ended, in this process or in so many of its own."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=BACKLOG)
    if processes == 1:
        _serve(listener)
        return
    started = [multiprocessing.Process(target=_serve, args=(listener,), daemon=True) for _ in range(processes)]
    for process in started:
        process.start()
    # What is a daemon ends with whoever ends in peace.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    for process in started:
        process.join()


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1)
