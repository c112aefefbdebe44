"""
mitmproxy commands for callbacks. A command must not wait, so it starts a task, which writes its result to the event log
and to the flow.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine, Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import pyperclip
from mitmproxy import command, ctx, exceptions, flow, hooks, types
from mitmproxy.http import HTTPFlow
from mitmproxy.log import ALERT

from walletbridge.gateway.running_gateway import Bridge
from walletbridge.observe.trace import Trace
from walletbridge.protocol.callbacks import BadCallback, Bet, Callback, Cancel, Command, Status, Win, decode
from walletbridge.protocol.checks import DOCUMENTED, Check
from walletbridge.protocol.errors import OutcomeUnknown
from walletbridge.protocol.money import format_minor
from walletbridge.proxy.live_view import export, lookups
from walletbridge.proxy.live_view.record import Record, read, write
from walletbridge.proxy.live_view.related import related
from walletbridge.proxy.live_view.replay_permits import SECONDS, Permits
from walletbridge.settings import Settings
from walletbridge.settings.sections import TOKEN_ENV_DEFAULT

KEYS = (
    ("f2", "walletbridge.known @focus", "What is known of this transaction"),
    ("f3", "walletbridge.status @focus", "Ask the wallet what became of this transaction"),
    ("f4", "walletbridge.curl @focus", "This callback as a curl line"),
    ("f5", "walletbridge.unresolved", "What is not settled"),
    ("f6", "walletbridge.vector @focus", "This callback as a test vector"),
    ("f8", "walletbridge.replay.allow @focus", "Permit one replay of this callback"),
    # Only types the command: it moves money, so a person must press Enter.
    ("f9", "console.command walletbridge.cancel @focus", "Cancel this transaction at the wallet"),
)

logger = logging.getLogger(__name__)


def _named[F: Callable[..., object]](name: str) -> Callable[[F], F]:
    """The typed decorator of mitmproxy."""
    decorator: Callable[[F], F] = command.command(name)
    return decorator


class Commands:
    """The commands. Those that need a wallet raise CommandError without settings."""

    name = "walletbridge.commands"

    def __init__(self, permits: Permits, newest_flows: Callable[[], Iterable[flow.Flow]]) -> None:
        self._permits = permits
        self._cancels = Permits(time.monotonic)
        self._newest_flows = newest_flows
        self._bridge: Bridge | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    def use(self, bridge: Bridge) -> None:
        """Enables the commands that need a wallet."""
        self._bridge = bridge

    def bind_keys(self) -> None:
        """Binds the keys in the console, unless the user has bound them."""
        keymap: Any = getattr(ctx.master, "keymap", None)
        if keymap is None:
            return
        for key, line, about in KEYS:
            if not any(keymap.get(context, key) for context in ("flowlist", "flowview", "global")):
                keymap.add(key, line, ["flowlist", "flowview"], about)

    @_named("walletbridge.status")
    def status(self, flows: Sequence[flow.Flow]) -> None:
        """Asks the wallet what became of the transaction of these flows."""
        bridge, (own, callback) = self._needed(), self._transaction(flows)
        checks = DOCUMENTED[Command.STATUS]
        trans_id = _trans_id(callback)
        self._start(
            self._ask(
                bridge, own, Status(account=callback.account, checks=checks, requested_at=None, trans_id=trans_id)
            )
        )

    @_named("walletbridge.cancel")
    def cancel(self, flows: Sequence[flow.Flow]) -> str:
        """Cancels the transaction of these flows at the wallet: this moves money. Given twice: first it says what."""
        bridge, (own, callback) = self._needed(), self._transaction(flows)
        if self._cancels.take(own):
            self._start(self._ask(bridge, own, _cancel_of(callback)))
            return f"#{_trans_id(callback)} is being cancelled at the wallet; the event log says what comes of it"
        self._cancels.give(own)
        trans_id = str(_trans_id(callback))
        self._start(self._tell(f"before a cancel of #{trans_id}", [], trans_id=trans_id))
        text = "\n".join(_what_a_cancel_does(callback, bridge.settings))
        logger.log(ALERT, "walletbridge: %s", text)
        return text

    @_named("walletbridge.known")
    def known(self, flows: Sequence[flow.Flow]) -> None:
        """Shows all that is known of the transaction of these flows."""
        _, callback = self._transaction(flows)
        self.known_transaction(str(_trans_id(callback)))

    @_named("walletbridge.known.transaction")
    def known_transaction(self, trans_id: str) -> None:
        """Shows all that is known of a transaction: flows, cache and journal."""
        lines = lookups.of_flows("trans_id", trans_id, self._newest_flows())
        self._start(self._tell(f"transaction #{trans_id}", lines, trans_id=trans_id))

    @_named("walletbridge.known.account")
    def known_account(self, account: str) -> None:
        """Shows all that is known of an account: flows, cache and journal."""
        bridge = self._needed()
        name = lookups.shown(account, bridge.settings)
        lines = lookups.of_flows("account", name, self._newest_flows())
        self._start(self._tell(f"account {name}", lines, account=account))

    @_named("walletbridge.cache.clear")
    def cache_clear(self) -> str:
        """Forgets what became of transactions, so that the next questions reach the wallet."""
        cache = self._needed().status_cache
        count = len(cache)
        cache.clear()
        logger.log(ALERT, "walletbridge: %d transactions forgotten", count)
        return f"{count} transactions forgotten"

    @_named("walletbridge.unresolved")
    def unresolved(self) -> None:
        """Lists what is not settled."""
        settings = self._needed().settings
        self._start(self._show("not settled", [], lambda: lookups.unresolved(settings)))

    @_named("walletbridge.curl")
    def curl(self, one: flow.Flow) -> str:
        """The callback as a curl line, without the token; copied to the clipboard where there is one."""
        variable = self._bridge.settings.callback.token_env if self._bridge else None
        line = export.curl(_http(one), variable or TOKEN_ENV_DEFAULT)
        with suppress(pyperclip.PyperclipException):
            pyperclip.copy(line)
        return line

    @_named("walletbridge.vector")
    def vector(self, one: flow.Flow, path: types.Path = types.Path("")) -> str:  # noqa: B008 - a str in all but name
        """The callback and its answer as a test vector, to a file if one is named."""
        record = _record(one)
        found = [read(other.metadata) for other in related(record, one, self._newest_flows())]
        try:
            text = export.vector(_http(one), record, [other for other in found if other])
            if path:
                Path(path).expanduser().write_text(f"{text}\n")
        except (ValueError, OSError) as error:
            raise exceptions.CommandError(str(error)) from None
        return text

    @_named("walletbridge.replay.allow")
    def replay_allow(self, one: flow.Flow) -> str:
        """Shows what a replay of this callback would do, and permits one."""
        bridge, http_flow = self._needed(), _http(one)
        callback = self._callback(http_flow)
        self._permits.give(http_flow)
        text = "\n".join(_what_a_replay_does(callback, bridge.settings))
        trans_id = str(getattr(callback, "trans_id", ""))
        if trans_id:
            self._start(self._tell(f"before a replay of #{trans_id}", [], trans_id=trans_id))
        return text

    def _needed(self) -> Bridge:
        if self._bridge is None:
            raise exceptions.CommandError("walletbridge has no settings, so there is no wallet")
        return self._bridge

    def _callback(self, one: HTTPFlow) -> Callback:
        record = read(one.metadata)
        if record is not None and record.is_masked and not one.live:
            raise exceptions.CommandError("the account is masked (ui.mask_accounts), in the body as well")
        decimals = self._needed().settings.wallet.currency_decimals
        try:
            return decode(one.request.raw_content or b"", currency_decimals=decimals)
        except BadCallback as error:
            raise exceptions.CommandError(f"no callback: {error}") from None

    def _transaction(self, flows: Sequence[flow.Flow]) -> tuple[HTTPFlow, Callback]:
        found = [(_http(one), self._callback(_http(one))) for one in flows]
        if len({(callback.account, str(_trans_id(callback))) for _, callback in found}) != 1:
            raise exceptions.CommandError("expected flows of one transaction")
        return found[-1]

    async def _ask(self, bridge: Bridge, own: HTTPFlow, callback: Status | Cancel) -> None:
        trace = Trace(calls=[])
        try:
            outcome = await bridge.ask(callback, trace)
            said = f"{outcome.result:d} {outcome.result.name}" + (f" {outcome.state}" if outcome.state else "")
        except OutcomeUnknown as unknown:
            said = f"unknown: {unknown.reason}"
        who = lookups.shown(callback.account, bridge.settings)
        standing = f"; {trace.standing.state}" if trace.standing else ""
        text = f"{callback.command.value} #{callback.trans_key} of {who}: {said}{standing}"
        logger.log(ALERT, "walletbridge: by hand: %s", text)
        record = read(own.metadata)
        if record is not None:
            record.asked = (*record.asked, f"{time.strftime('%H:%M:%S')} {text}")
            write(own.metadata, record)
            await ctx.master.addons.trigger_event(hooks.UpdateHook([own]))

    async def _tell(self, title: str, lines: list[str], *, account: str = "", trans_id: str = "") -> None:
        if self._bridge is None:
            await self._show(title, lines, list)
            return
        settings = self._bridge.settings
        lines += lookups.of_cache(self._bridge.status_cache, settings, account=account, trans_id=trans_id)
        await self._show(title, lines, lambda: lookups.of_journal(settings, account=account, trans_id=trans_id))

    async def _show(self, title: str, lines: list[str], read_file: Callable[[], list[str]]) -> None:
        lines = [*lines, *await asyncio.to_thread(read_file)]
        logger.log(ALERT, "walletbridge: %s: %s", title, f"{len(lines)} lines" if lines else "nothing is known")
        for line in lines:
            logger.info("walletbridge: %s", line)

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()):
            logger.error("walletbridge: the command failed: %s: %s", type(error).__name__, error)


def _http(one: flow.Flow) -> HTTPFlow:
    if not isinstance(one, HTTPFlow):
        raise exceptions.CommandError("not an HTTP flow")
    return one


def _record(one: flow.Flow) -> Record:
    record = read(one.metadata)
    if record is None:
        raise exceptions.CommandError("not a callback that was seen by walletbridge")
    return record


def _trans_id(callback: Callback) -> int | str:
    if isinstance(callback, Bet | Win | Cancel | Status):
        return callback.trans_id
    raise exceptions.CommandError(f"{callback.command} has no transaction")


def _cancel_of(callback: Callback) -> Cancel:
    return Cancel(
        account=callback.account,
        checks=(Check.TRANSACTION_EXISTS,),
        requested_at=int(time.time()),
        trans_id=_trans_id(callback),
        round_id=getattr(callback, "round_id", ""),
        provider_id=getattr(callback, "provider_id", 0),
        game_code=getattr(callback, "game_code", ""),
        game_name=getattr(callback, "game_name", ""),
        game_type=getattr(callback, "game_type", ""),
    )


def _what_a_cancel_does(callback: Callback, settings: Settings) -> list[str]:
    amount = getattr(callback, "amount", None)
    what = f"{callback.command} #{_trans_id(callback)} of {lookups.shown(callback.account, settings)}"
    if amount is not None:
        what += f", {format_minor(amount, settings.wallet.currency_decimals)}"
    return [
        f"The same command within {SECONDS:.0f} s cancels this at the wallet at {settings.wallet.target}:",
        f"  {what}",
        "It moves money, and the provider is not told. Who did it stands in the journal.",
    ]


def _what_a_replay_does(callback: Callback, settings: Settings) -> list[str]:
    trans_id = getattr(callback, "trans_id", None)
    what = f"{callback.command} of {lookups.shown(callback.account, settings)}"
    lines = [
        f"One replay of this flow within {SECONDS:.0f} s is let through to the wallet at {settings.wallet.target}:",
        f"  {what}" + (f", transaction #{trans_id}" if trans_id is not None else ""),
        "It is treated like any callback: in its turn, journalled, and refused where the journal says so.",
    ]
    if callback.command in {Command.BET, Command.WIN, Command.CANCEL}:
        lines.append(
            "It can move money. No provider hears the answer, so a bet that it makes is cancelled again later."
        )
    return [*lines, "Replay it now (console: r; mitmweb: Replay). Change its body, and it is refused again."]
