"""
The command `walletbridge health` tests whether a gateway with these settings answers, for containers' health checks.
"""

import ssl
import sys
import threading
from contextlib import closing
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from pathlib import Path

import click

from walletbridge.observe.terminal import say
from walletbridge.protocol.errors import SettingsError
from walletbridge.settings import Address, Settings, load

LIMIT_SECONDS = 2.0
"""For the name's look-up, the connection and the answer together."""
_OK = 200
_LOCAL = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - no address to connect to


@click.command()
@click.option(
    "--config",
    required=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The YAML file with the settings.",
)
def health(config: Path) -> None:
    """
    Ask the running gateway whether it is well.

    With `admin` in the settings that is /healthz, else any HTTP answer where callbacks come in. Exit code: 0 if it is
    well, 1 if it is not, or gives no answer within 2 s.
    """
    try:
        settings = load(config)
    except SettingsError as error:
        raise click.ClickException(str(error)) from None
    if problem := problem_of(settings):
        say(problem, err=True)
        sys.exit(1)


def problem_of(settings: Settings) -> str:
    """The gateway's problem, in one line; empty if it is well."""
    address = settings.admin.listen if settings.admin else settings.listen
    key = "admin.listen" if settings.admin else "listen"
    if not address.port:
        return f"{key}: port 0 is any free port; name one to make a health check possible"
    found: list[str] = []
    look = _healthz if settings.admin else _callback_path

    def run() -> None:
        found.append(look(settings, address))

    # A thread, as a socket's limit holds for each read alone, and a name's look-up has none.
    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(LIMIT_SECONDS)
    problem = found[0] if found else f"no answer within {LIMIT_SECONDS:g} s"
    return f"{key}: {address}: {problem}" if problem else ""


def _healthz(_: Settings, address: Address) -> str:
    try:
        with closing(HTTPConnection(_host(address), address.port, timeout=LIMIT_SECONDS)) as connection:
            connection.request("GET", "/healthz")
            status = connection.getresponse().status
    except (OSError, HTTPException) as error:
        return _text(error)
    return "" if status == _OK else f"/healthz: HTTP {status}"


def _callback_path(settings: Settings, address: Address) -> str:
    try:
        with closing(_connection(settings, address)) as connection:
            connection.request("GET", settings.callback.path)
            connection.getresponse()
    except (ConnectionRefusedError, TimeoutError) as error:
        return _text(error)
    except (OSError, HTTPException) as error:
        return "" if _turns_away(settings) else _text(error)
    return ""


def _connection(settings: Settings, address: Address) -> HTTPConnection:
    host = _host(address)
    if settings.tls is None:
        return HTTPConnection(host, address.port, timeout=LIMIT_SECONDS)
    # The certificate and its validity do not matter here: nothing secret is sent.
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return HTTPSConnection(host, address.port, timeout=LIMIT_SECONDS, context=context)


def _turns_away(settings: Settings) -> bool:
    """Whether the gateway closes connections like this one unanswered: then closing shows that it works."""
    needs_certificate = settings.tls is not None and settings.tls.client_ca_file is not None
    return needs_certificate or settings.callback.proxy_protocol


def _host(address: Address) -> str:
    return _LOCAL.get(address.host, address.host)


def _text(error: Exception) -> str:
    return (isinstance(error, OSError) and error.strerror) or str(error) or type(error).__name__
