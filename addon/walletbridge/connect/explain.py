"""
`walletbridge check --explain`: shows a command's request, and the answer to each reply.

The gateway's own code makes both from a sample callback; no wallet is called.
"""

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from msgspec import structs

from walletbridge.connect.sample_replies import found, replies
from walletbridge.protocol import answers
from walletbridge.protocol.answers import Answer
from walletbridge.protocol.callbacks import Callback, Command, Undo, decode
from walletbridge.protocol.checks import DOCUMENTED, text_of
from walletbridge.protocol.errors import NotSayable, OutcomeUnknown
from walletbridge.protocol.outcomes import Outcome, Result, is_listed
from walletbridge.settings import load
from walletbridge.wallet.mapping.bindings import Binding
from walletbridge.wallet.mapping.bound_wallet import UNDO_BET, UNDO_WIN, BoundWallet
from walletbridge.wallet.mapping.loading import load as load_mapping
from walletbridge.wallet.mapping.reply.balances import Balances
from walletbridge.wallet.reading_replies import read_outcome

BALANCE_METHOD = "the command balance"
BALANCE = 400_000
"""Minor units, in sample answers."""
_AMOUNT = 10
_GAME = (
    b'"round_id":"818395446","provider_id":1,"game_code":"vswaysdogs","game_name":"The Dog House","game_type":"Slots"'
)
_TRANSACTION = b'"account":"test1234","trans_id":1676358190'
_SAMPLES = {
    Command.AUTHENTICATE: b'"account":"test1234"',
    Command.BALANCE: b'"account":"test1234"',
    Command.BET: b'%s,%s,"call_id":0,"amount":%d,"type":1' % (_TRANSACTION, _GAME, _AMOUNT),
    Command.WIN: b'%s,%s,"call_id":0,"amount":%d,"type":2' % (_TRANSACTION, _GAME, _AMOUNT),
    Command.CANCEL: b"%s,%s" % (_TRANSACTION, _GAME),
    Command.STATUS: _TRANSACTION,
}


def explain(config: Path, command: str) -> Iterator[str]:
    """The lines to print. Raises SettingsError for settings or a mapping that cannot be used."""
    settings = load(config)
    bound = load_mapping(settings.wallet, environ=_Masked(os.environ))
    decimals = settings.wallet.currency_decimals
    body = sample(Command(command))
    callback = decode(body, currency_decimals=decimals)
    yield f"callback: {body.decode()}"
    parts = list(_parts(bound, callback, decimals))
    if not parts:
        yield "no wallet call: the journal answers it"
    for name, binding, each in parts:
        yield ""
        yield f"{name}: {binding.method.name}"
        yield from _request(binding, each)
        yield "  answers:"
        yield from _answers(binding, each, decimals)


def sample(command: Command) -> bytes:
    """A callback as the provider sends it."""
    data, checks = _SAMPLES[command], text_of(DOCUMENTED[command]).encode()
    return b'{"command":"%s","data":{%s},"timestamp":"1600000001","check":"%s"}' % (command.encode(), data, checks)


class _Masked(dict[str, str]):
    """The environment with its names alone: its values, which a mapping may send, may be secret."""

    def __init__(self, names: "os._Environ[str]") -> None:
        super().__init__(dict.fromkeys(names, "..."))


def _parts(bound: BoundWallet, callback: Callback, decimals: int) -> Iterator[tuple[str, Binding, Callback]]:
    """The bindings that a callback may use, each with its name and the callback that it gets."""
    if callback.command is not Command.CANCEL or (bound.promises.has_cancel and callback.command in bound.bindings):
        if callback.command in bound.bindings:
            yield callback.command, bound.bindings[callback.command], callback
        return
    for undone, name in ((Command.BET, UNDO_BET), (Command.WIN, UNDO_WIN)):
        fields = {key: getattr(callback, key) for key in _UNDO_FIELDS}
        undo = Undo(**fields, undone=undone, amount=_AMOUNT * 10**decimals)
        binding = bound.binding_of(undo)
        assert binding is not None  # noqa: S101 - a cancel is bound in one of the two ways
        yield f"cancel of a {undone} ({name})" if name in bound.bindings else f"cancel of a {undone}", binding, undo


_UNDO_FIELDS = (
    "account",
    "checks",
    "requested_at",
    "trans_id",
    "round_id",
    "provider_id",
    "game_code",
    "game_name",
    "game_type",
)


def _request(binding: Binding, callback: Callback) -> Iterator[str]:
    values = found(binding)
    if binding.lookup is not None:
        yield f"  first, unless it is known: {binding.lookup.method.name}"
        yield from _indented(str(binding.lookup.method.build(callback, {})))
    yield "  request:"
    try:
        yield from _indented(str(binding.method.build(callback, values)))
        for name, compute in binding.method.metadata:
            yield f"    metadata {name}: {compute(callback, values)}"
    except NotSayable as error:
        yield f"    cannot be made of this sample: {error}"


def _indented(text: str) -> Iterator[str]:
    return (f"    {line}" for line in text.splitlines() or ["(empty)"])


def _answers(binding: Binding, callback: Callback, decimals: int) -> Iterator[str]:
    # A sample's balance is meaningless, so it is not read.
    without_balance = replace(binding, balances=Balances())
    for words, reply in replies(binding):
        try:
            outcome, needs_balance = read_outcome(without_balance, callback, reply)
        except OutcomeUnknown as unknown:
            yield f"    {words} -> {_written(answers.UNKNOWN)}: {unknown.reason}"
            continue
        read = binding.balances.made if outcome.result is Result.OK else binding.balances.refused
        asks = needs_balance and (read is None or reply.message is None)
        asked = f", the balance from {BALANCE_METHOD}" if asks else ""
        yield f"    {words} -> {_answer(callback, outcome, decimals)}{asked}"
    yield f"    anything else -> {_written(answers.UNKNOWN)}"


def _answer(callback: Callback, outcome: Outcome, decimals: int) -> str:
    if not is_listed(callback.command, outcome):
        return f"{outcome.result:d} ({outcome.result.name}), which is answered by what the journal knows"
    return _written(answers.of_outcome(callback, structs.replace(outcome, balance=BALANCE), currency_decimals=decimals))


def _written(answer: Answer) -> str:
    return f"HTTP {answer.http_status} {answer.body.decode()}"
