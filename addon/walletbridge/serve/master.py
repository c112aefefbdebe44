"""
The master of `serve`: the parts of mitmproxy that carry connections, and the parts that production needs.

mitmproxy's default addons are for people and for other uses of a proxy; each would be called at each step of a request.
"""

import asyncio
import logging
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress

from mitmproxy.addons.core import Core
from mitmproxy.addons.disable_h2c import DisableH2C
from mitmproxy.addons.errorcheck import ErrorCheck
from mitmproxy.addons.next_layer import NextLayer
from mitmproxy.addons.proxyserver import Proxyserver
from mitmproxy.addons.tlsconfig import TlsConfig
from mitmproxy.exceptions import OptionsError
from mitmproxy.master import Master
from mitmproxy.options import Options
from msgspec.structs import replace

from walletbridge.protocol.errors import SettingsError
from walletbridge.proxy.addon import WalletBridge
from walletbridge.serve import garbage_collector
from walletbridge.serve.certificates import Certificates
from walletbridge.serve.lane import server  # registers the mode in mitmproxy
from walletbridge.serve.lane.lane import Lane
from walletbridge.serve.library_logs import Records
from walletbridge.serve.open_files import BESIDE_CONNECTIONS, allow_open_files, fitting
from walletbridge.settings import Address, Limits, Settings

_UPSTREAM_OPTION = "mode=reverse:"
_FIXED = (
    # A WebSocket is a tunnel: to parse it, mitmproxy would keep each message until it is complete.
    "websocket=false",
    # For the upstream. `Certificates` decides about the clients.
    "http2=false",
)


class LeanMaster(Master):
    """The core of mitmproxy, then the lane, then the gateway."""

    def __init__(
        self,
        options: Options,
        settings: Settings,
        bridge: WalletBridge,
        addons: Sequence[object] = (),
    ) -> None:
        """
        `addons` come after the gateway. Raises SettingsError.

        Needs a running event loop.
        """
        super().__init__(options)
        self.lane = Lane(bridge, settings)
        certificates = [Certificates(settings.tls, http2=settings.http2 is not None)] if settings.tls else []
        self.addons.add(  # type: ignore[no-untyped-call]
            Core(),
            DisableH2C(),
            Proxyserver(),  # type: ignore[no-untyped-call]
            # Before mitmproxy's TlsConfig: the first addon that sets a connection decides.
            *certificates,
            self.lane,
            NextLayer(),
            TlsConfig(),
            bridge,
            *addons,
            ErrorCheck(),
        )


def serve(
    settings: Settings,
    options: Sequence[str],
    bridge: WalletBridge,
    addons: Sequence[object] = (),
) -> None:
    """
    Serves until a signal ends it. `options` are mitmproxy's, as `name=value`; its own configuration is not read.

    Raises SystemExit with 1 if it cannot start, after printing the reason.
    """
    limits = settings.limits
    open_files = allow_open_files(limits.connections + limits.upstream_requests + BESIDE_CONNECTIONS)
    fitted = fitting(limits, open_files=open_files, has_upstream=settings.upstream is not None)
    garbage_collector.be_patient()
    warning = _lowered(fitted, open_files) if fitted != limits else ""
    asyncio.run(_serve(replace(settings, limits=fitted), options, bridge, addons, warning))


def _lowered(limits: Limits, open_files: int) -> str:
    return (
        f"walletbridge: the system allows {open_files} open files: limits.connections is lowered to "
        f"{limits.connections}, limits.upstream_requests to {limits.upstream_requests}; "
        "allow more with `ulimit -n` or LimitNOFILE="
    )


async def _serve(
    settings: Settings,
    options: Sequence[str],
    bridge: WalletBridge,
    addons: Sequence[object],
    warning: str,
) -> None:
    with Records(bridge):
        opts = Options()
        try:
            master = LeanMaster(opts, settings, bridge, addons)
            opts.set(*_options(options, settings.listen))
        except (OptionsError, SettingsError) as error:
            logging.getLogger(__name__).error("walletbridge: %s", error)  # noqa: TRY400 - the text is complete
            sys.exit(1)
        if warning:
            logging.getLogger(__name__).warning(warning)
        _end_with_signals(master)
        await master.run()


def _options(options: Sequence[str], listen: Address) -> list[str]:
    """
    `options` with the lane in place of mitmproxy's reverse mode, and with the address in the mode: otherwise mitmproxy
    advises options that `serve` does not have.
    """
    own = [
        f"mode={server.LaneMode.type_name}:{value.removeprefix(_UPSTREAM_OPTION)}@{listen.host}:{listen.port}"
        if value.startswith(_UPSTREAM_OPTION)
        else value
        for value in options
        if not value.startswith("termlog_verbosity=")
    ]
    return [*own, *_FIXED]


def _end_with_signals(master: Master) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        with suppress(NotImplementedError):
            loop.add_signal_handler(number, master.shutdown)
    if hasattr(signal, "SIGPIPE"):
        # The reader of the log may end before this process.
        signal.signal(signal.SIGPIPE, signal.SIG_IGN)
