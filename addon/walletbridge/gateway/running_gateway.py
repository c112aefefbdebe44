"""
The running gateway: builds every part from the settings, and drains them on stop.
"""

import asyncio
import os
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from walletbridge.gateway.dispatch import Dispatch
from walletbridge.gateway.edits import Edit
from walletbridge.gateway.gateway import Gateway, Request
from walletbridge.gateway.in_flight import Answering, Answers
from walletbridge.gateway.peers import Peers
from walletbridge.gateway.shared_memory import Share
from walletbridge.gateway.token_file import Rotation
from walletbridge.gateway.tokens import Tokens
from walletbridge.journal.revisions import Revisions
from walletbridge.journal.turn_owner import user_name
from walletbridge.observe.log import Log
from walletbridge.observe.metrics.counts import CountingLog, CountingWallet, Counts
from walletbridge.observe.metrics.names import Refusal
from walletbridge.observe.metrics.part import Part
from walletbridge.observe.trace import Trace
from walletbridge.observe.tracing import open_tracing
from walletbridge.protocol.answers import Answer
from walletbridge.protocol.callbacks import Bet, Cancel, Command, Status, Win
from walletbridge.protocol.errors import OutcomeUnknown, SettingsError
from walletbridge.protocol.outcomes import Outcome, Result
from walletbridge.rules.words import UNDONE, Word
from walletbridge.settings import Settings
from walletbridge.transactions.assembly import Settlement
from walletbridge.transactions.cancel_counter import Changes
from walletbridge.transactions.durations import budgets, days_to_keep
from walletbridge.transactions.status_cache import StatusCache
from walletbridge.wallet.channel import Channel
from walletbridge.wallet.client import GrpcWallet
from walletbridge.wallet.mapping.loading import load as load_mapping
from walletbridge.wallet.protection.lasting import lasting
from walletbridge.wallet.protection.probe import PROBES_MAX
from walletbridge.wallet.protection.protection import Protection

if TYPE_CHECKING:
    from walletbridge.observe.spans import Spans
    from walletbridge.wallet.mapping.bound_wallet import BoundWallet

LAST_SECONDS = 1.0
"""Seconds to write and answer the remaining calls once the wallet's channel is closed."""
_MADE = frozenset({Result.OK, Result.ALREADY_PROCESSED})
_HTTP_OK = 200


class Bridge:
    """
    Create it inside a running event loop. Raises SettingsError if a file that the settings name cannot be used, or the
    settings do not fit the wallet's promises.
    """

    def __init__(  # noqa: PLR0913 - all inputs from outside
        self,
        settings: Settings,
        tokens: Tokens,
        log: Log,
        *,
        share: Share | None = None,
        clock: Callable[[], float] = time.monotonic,
        spans: "Spans | None" = None,
        around: Callable[[Answers], Answers] = lambda answer: answer,
        bound: "BoundWallet | None" = None,
    ) -> None:
        """
        `share`: this worker's part of the shared memory; None for a process of its own. `spans`: where traces go; None:
        as the settings say. `around` wraps the function that answers, for example with a recording. `bound`: the
        settings' mapping, if it was read before: that takes a while.
        """
        share = share or Share(Part(), Changes())
        self.counts = Counts(share.part, budgets(settings.deadlines))
        self.log = log
        self.clock = clock
        self.settings = settings
        self._tokens = tokens
        # The steps that may fail come first: nothing is open yet.
        bound = bound or load_mapping(settings.wallet)
        keep_days = days_to_keep(settings.journal, bound.promises)
        self._peers = Peers(settings.callback.allow_from, trusted_proxies=settings.callback.trusted_proxies)
        self._spans = spans or self._open_spans()
        self._wallet_seen = asyncio.Event()
        self._channel = Channel(
            settings.wallet,
            on_change=self._wallet_changed,
            around=self._spans.of_wallet_calls if self._spans else None,
            longest_call=max(*budgets(settings.deadlines).values(), settings.journal.call_seconds or 0),
        )
        self.wallet = GrpcWallet(
            self._channel,
            bound,
            calls_max=settings.limits.wallet_calls + PROBES_MAX,
            connect_wait=settings.wallet.connect_wait,
            clock=clock,
            is_away=lambda: self.protection.breaker.is_away,
        )
        self.protection = Protection(
            CountingWallet(self.wallet, self.counts, clock=clock),
            breaker=settings.breaker,
            limits=settings.limits,
            clock=clock,
            on_change=self._wallet_silent,
            on_stuck=self._command_stuck,
            on_refused=self.counts.shed,
            probe_seconds=budgets(settings.deadlines)[Command.BALANCE],
            renew=self._renew,
        )
        self._revisions = Revisions(settings.journal.path)
        self.status_cache = StatusCache(
            size=settings.status_cache.size,
            ok_seconds=settings.status_cache.ok_seconds,
            canceled_seconds=settings.status_cache.canceled_seconds,
            clock=clock,
            changes=share.changes,
            revision=self._revisions.of,
        )
        settlement = Settlement(
            settings,
            bound.promises,
            self.protection,
            self.status_cache,
            keep_days=keep_days,
            clock=clock,
            on_event=self._tell,
            on_problem=self._journal_changed,
            on_wal=self._wal_changed,
        )
        self.journal = settlement.journal
        self._transactions, self._cancels = settlement.transactions, settlement.cancels
        self._resolver = settlement.resolver
        self._resolving = asyncio.ensure_future(lasting(self._resolver.run, on_fault=log.failed))
        rotation = Rotation(settings.callback, tokens, on_event=self._tell)
        self._rotating = asyncio.ensure_future(lasting(rotation.run, on_fault=log.failed))
        self._gateway = Gateway(
            Dispatch(
                self.protection.for_callbacks,
                self._transactions,
                self.status_cache,
                budgets=budgets(settings.deadlines),
                clock=clock,
                for_cancels=self._cancels,
            ),
            CountingLog(log, self.counts),
            currency_decimals=settings.wallet.currency_decimals,
            body_bytes_max=settings.limits.body_bytes,
            clock=clock,
        )
        answer = self._spans.of_callbacks(self._gateway.answer, clock=clock) if self._spans else self._gateway.answer
        self._answering = Answering(around(answer), on_fault=log.failed)
        self._stopped = False

    def is_callback(self, target: str) -> bool:
        """Whether a request target is the callback path; the query is ignored."""
        return target.partition("?")[0] == self.settings.callback.path

    def admits(self, peer: str, tokens: Sequence[bytes], forwarded: Sequence[bytes] = ()) -> bool:
        """
        Whether a request from `peer` with these values of the token header and of X-Forwarded-For is the provider's.
        """
        if not self._peers.accept(peer, forwarded):
            self.counts.refused(Refusal.PEER)
            return False
        if not self._tokens.accept(tokens):
            self.counts.refused(Refusal.WRONG_TOKEN)
            return False
        return True

    def replace_tokens(self, tokens: Iterable[bytes]) -> None:
        """Accepts these tokens from now on and no others."""
        self._tokens.replace(tokens)

    async def wallet_seen(self, seconds: float) -> None:
        """Waits, at most `seconds`, until it is known whether the wallet is there."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._wallet_seen.wait(), seconds)

    async def answer(self, request: Request, trace: Trace) -> Answer:
        """See `Answering.answer`."""
        self._name_client(trace)
        return await self._answering.answer(request, trace)

    def begin(self, request: Request, trace: Trace, told: Callable[[Answer], None]) -> None:
        """See `Answering.begin`."""
        self._name_client(trace)
        self._answering.begin(request, trace, told)

    async def ask(self, callback: Status | Cancel, trace: Trace) -> Outcome:
        """
        A person's own question or cancel: journalled and in its turn, like a callback's. Raises OutcomeUnknown.
        """
        word = Word(decision=UNDONE, name=user_name(), at=int(time.time()), reason="by hand, in the live view")
        deadline = self.clock() + budgets(self.settings.deadlines)[callback.command]
        if isinstance(callback, Status):
            call = self._transactions.status(callback, deadline=deadline, trace=trace, is_providers=False)
        else:
            call = self._cancels.cancel(callback, deadline=deadline, trace=trace, word=word)
        return await self._answering.shielded(call)

    async def left_out(self, edit: Edit) -> bool:
        """
        Records that a person is about to send another callback than the received one. False: not recorded, so do not
        send.
        """
        if edit.came is not None and edit.is_elsewhere:
            try:
                await self._transactions.leave(edit.came, edit.left_out, was_sent=False)
            except OutcomeUnknown:
                return False
        return True

    async def put_in(self, edit: Edit) -> None:
        """Records that a person has sent another callback than the received one, before its answer goes out."""
        if edit.sent is not None:
            with suppress(OutcomeUnknown):
                await self._transactions.leave(edit.sent, edit.put_in, was_sent=True)

    def delivered(self, trace: Trace, answer: Answer, *, sent: bool) -> None:
        """
        Records whether an answer was delivered: that a bet or win was answered as made, or that its answer was lost. A
        provider that never received a refusal still expects its win.
        """
        if not sent:
            self.counts.not_delivered()
        callback = trace.callback
        is_lost = not sent and answer.http_status == _HTTP_OK
        if isinstance(callback, Bet | Win) and (answer.result in _MADE or is_lost):
            self._transactions.delivered(callback, sent=sent)

    async def stop(self, *, at_once: asyncio.Event | None = None) -> None:
        """
        Lets calls in flight end and be answered, then closes the channel. `at_once` ends the wait.

        The wait is bounded by the longest deadline; calls still open then are answered as unknown.
        """
        if self._stopped:
            return
        self._resolver.stop()
        self._rotating.cancel()
        if self._answering.tasks:
            forced = asyncio.ensure_future((at_once or asyncio.Event()).wait())
            drained = asyncio.ensure_future(self._answering.drain())
            await asyncio.wait(
                {forced, drained},
                timeout=max(budgets(self.settings.deadlines).values()),
                return_when=asyncio.FIRST_COMPLETED,
            )
            forced.cancel()
            drained.cancel()
        self._stopped = True
        self._answering.stop()
        await self.protection.stop()
        await self._channel.close()
        # Closing the channel has ended the remaining calls; now they are written down and answered.
        last: set[asyncio.Future[Any]] = {self._resolving, *self._answering.tasks}
        await asyncio.wait(last, timeout=LAST_SECONDS)
        await self.journal.close()
        self._revisions.close()
        if self._spans:
            await self._spans.close()
        self.log.event("stopped")

    def _name_client(self, trace: Trace) -> None:
        """Names the client in `trace`: the connection's other end may be a proxy of the operator."""
        if self.settings.callback.trusted_proxies and (client := self._peers.client(trace.client, trace.forwarded)):
            trace.client = str(client)

    def _open_spans(self) -> "Spans | None":
        try:
            return open_tracing(self.settings.tracing, os.environ)
        except SettingsError as error:
            if self.settings.tracing is not None:
                raise
            # The environment may be meant for other programs.
            self.log.warning("not traced", problem=str(error))
            return None

    def _wallet_changed(self, ready: bool) -> None:  # noqa: FBT001 - a callback's one argument
        self.protection.connected(ready=ready)
        self.counts.wallet_connected(is_connected=ready)
        self._wallet_seen.set()
        if ready:
            self._resolver.wallet_is_back()
            self.log.event("wallet connected", target=self.settings.wallet.target)
        else:
            self.log.warning("wallet away", target=self.settings.wallet.target)

    def _renew(self) -> None:
        self.log.warning("wallet does not answer: connecting anew", target=self.settings.wallet.target)
        self._channel.renew()

    def _wallet_silent(self, is_silent: bool) -> None:  # noqa: FBT001 - a callback's one argument
        target = self.settings.wallet.target
        if is_silent:
            self.log.warning("wallet does not answer: bets, wins and reads are refused", target=target)
        else:
            self._resolver.wallet_is_back()
            self.log.event("wallet answers again", target=target)

    def _command_stuck(self, command: Command, is_stuck: bool) -> None:  # noqa: FBT001 - a callback's arguments
        self.counts.wallet_stuck(command, is_stuck=is_stuck)
        if is_stuck:
            self.log.warning(
                "wallet does not answer a command: only a few of its calls are sent", command=command.value
            )
        else:
            self.log.event("wallet answers a command again", command=command.value)

    def _journal_changed(self, problem: str) -> None:
        self.counts.journal_failing(is_failing=bool(problem))
        path = str(self.settings.journal.path)
        if problem:
            self.log.warning("journal fails: bets, wins and cancels are answered 500", path=path, problem=problem)
        else:
            self.log.event("journal works again", path=path)

    def _wal_changed(self, problem: str) -> None:
        path = str(self.settings.journal.path)
        if problem:
            help_ = "end that process, or its transaction: what grows beside the file fills the disk"
            self.log.warning(
                "the journal's -wal grows: somebody reads and does not end", path=path, problem=problem, help=help_
            )
        else:
            self.log.event("the journal's -wal is small again", path=path)

    def _tell(self, event: str, fields: Mapping[str, object]) -> None:
        self.log.warning(event, **fields)
