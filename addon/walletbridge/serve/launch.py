"""
Starts mitmproxy with the gateway in it: as a server, under mitmweb, or in the console.

mitmproxy documents no way to do this from a program. This module uses the classes and the `tools.main.run` of its own
commands, so its version is bounded.
"""

import asyncio
import signal
import socket
import sys
from collections.abc import Sequence
from contextlib import suppress
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from mitmproxy import ctx
from mitmproxy.master import Master
from mitmproxy.options import Options
from mitmproxy.tools import cmdline
from mitmproxy.tools.main import run

from walletbridge.proxy.addon import OPTION, WalletBridge
from walletbridge.serve.doors import Doors
from walletbridge.serve.signals import ignore_further
from walletbridge.settings import Address, Settings

if TYPE_CHECKING:
    from mitmproxy.tools.web.master import WebMaster

_NO_UPSTREAM = "http://127.0.0.1:9"
"""mitmproxy's reverse mode needs an upstream. This one is never dialled: other paths are answered 404."""
_BODY_LIMIT_FACTOR = 64
"""
Without an upstream, mitmproxy's global limit of bodies can bound its memory. It answers with its own page, so it is
this many times the limit of walletbridge.
"""


class Kind(Enum):
    """The ways to run."""

    SERVE = "serve"
    WEB = "web"
    TUI = "tui"


def launch(  # noqa: PLR0913 - the additions of one way to run
    kind: Kind,
    config: Path,
    settings: Settings,
    *,
    addons: Sequence[object] = (),
    options: Sequence[str] = (),
    doors: Doors | None = None,
) -> None:
    """
    Runs until a signal ends it. `addons` come after the gateway; `options` are mitmproxy's (`name=value`).

    `doors` holds the sockets of a server and decides when it accepts; without it mitmproxy listens by itself.

    Raises SystemExit with 1 if it cannot start, after printing the reason.
    """
    own = _web_options(settings.ui.listen) if kind is Kind.WEB else []
    arguments = _arguments(config, settings, [*own, *options])
    bridge = WalletBridge(has_upstream=settings.upstream is not None, doors=doors, settings=settings)
    behind = [*addons, doors] if doors else addons
    ours = [_KeepOptions(arguments[1::2]), bridge, *behind, _IgnoreFurtherSigterms()]
    match kind:
        case Kind.SERVE:
            from walletbridge.serve.master import serve  # noqa: PLC0415 - only a server needs the lane

            serve(settings, arguments[1::2], bridge, [*behind, _IgnoreFurtherSigterms()])
        case Kind.WEB:
            from mitmproxy.tools.web.master import WebMaster  # noqa: PLC0415 - a server needs none of its libraries

            run(_with(WebMaster, [*ours, _AnnounceWeb(), _EndWithHangup()]), cmdline.mitmweb, arguments)
        case Kind.TUI:
            from mitmproxy.tools.console.master import ConsoleMaster  # noqa: PLC0415 - see above

            run(_with(ConsoleMaster, [*ours, _EndWithHangup()]), cmdline.mitmproxy, arguments)


def _with(master: type[Master], addons: Sequence[object], **arguments: Any) -> type[Master]:
    """A class of master with `addons` after its own."""

    def make(options: Options) -> Master:
        made = master(options, **arguments)
        made.addons.add(*addons)  # type: ignore[no-untyped-call]
        if made.addons.get("view") is not None:  # type: ignore[no-untyped-call]
            # The gateway goes before View, which shows a request to browsers at once: by then the token must be hidden.
            chain = made.addons.chain
            chain.sort(key=lambda addon: not isinstance(addon, WalletBridge))
        return made

    # `run` expects a class, and calls it with the options.
    return cast("type[Master]", make)


def _arguments(config: Path, settings: Settings, options: Sequence[str]) -> list[str]:
    values = [
        f"mode=reverse:{settings.upstream or _NO_UPSTREAM}",
        f"listen_host={settings.listen.host}",
        f"listen_port={settings.listen.port}",
        f"{OPTION}={config}",
        # The gateway logs its own events.
        "termlog_verbosity=warn",
        *options,
    ]
    if settings.upstream is None:
        values.append(f"body_size_limit={_BODY_LIMIT_FACTOR * settings.limits.body_bytes}")
    return [argument for value in values for argument in ("--set", value)]


def _web_options(address: Address) -> list[str]:
    port = address.port or free_port(address.host)
    return [
        f"web_host={address.host}",
        f"web_port={port}",
        f"web_open_browser={str(sys.stdout.isatty()).lower()}",
    ]


def free_port(host: str) -> int:
    """A port of `host` that is free now: mitmweb cannot report which one it was given."""
    with socket.create_server((host, 0), family=socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        port: int = probe.getsockname()[1]
    return port


class _KeepOptions:
    """
    Keeps the options that the settings determine. mitmproxy reads the user's own configuration, which may listen
    elsewhere or open the proxy to all, after the arguments.
    """

    def __init__(self, values: Sequence[str]) -> None:
        """`values` are options as `name=value`."""
        self._values = values
        self._names = {value.partition("=")[0] for value in values}
        self._is_keeping = False

    def configure(self, updated: set[str]) -> None:
        if self._is_keeping or self._names.isdisjoint(updated):
            return
        self._is_keeping = True
        try:
            # The console lacks some of them.
            ctx.options.set(*(value for value in self._values if value.partition("=")[0] in ctx.options))
        finally:
            self._is_keeping = False


class _IgnoreFurtherSigterms:
    """Ignores SIGTERM once all is done: a second one would kill the ending process and change its exit code."""

    def done(self) -> None:
        with suppress(NotImplementedError, RuntimeError, ValueError):
            # The loop would restore the default when it closes.
            asyncio.get_running_loop().remove_signal_handler(signal.SIGTERM)
            ignore_further()


class _EndWithHangup:
    """Ends a UI on SIGHUP, as its terminal is gone: calls in flight end and are answered, as with SIGTERM."""

    def running(self) -> None:
        with suppress(NotImplementedError, RuntimeError, ValueError):
            asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, ctx.master.shutdown)


class _AnnounceWeb:
    """Prints the address of the UI, which holds mitmweb's own login, not the callback token."""

    def running(self) -> None:
        master = cast("WebMaster", ctx.master)
        print(f"mitmweb: {master.web_url}", flush=True)  # noqa: T201 - the command's output
