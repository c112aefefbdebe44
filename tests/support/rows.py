"""Rows of the journal as they come about, and what a wallet may answer."""

from msgspec.structs import replace
from tests.support.callbacks import body, make_callback

from walletbridge.protocol.callbacks import Bet, Cancel, Win, decode
from walletbridge.protocol.errors import OutcomeUnknown
from walletbridge.protocol.outcomes import Outcome, Result, TransactionState
from walletbridge.rules import before_call
from walletbridge.rules.decisions import Look, Times
from walletbridge.rules.promises import Promises
from walletbridge.rules.row import CancelState, Movement, Row, Told

NOW = 100.0
TIMES = Times(settle_after=10, abandon_after=60, redeliver_for=1000, recheck_after=(60, 600), give_up_after=300)
REMEMBERS, FORGETS = Promises(late_bets_refused=True), Promises(late_bets_refused=False)
SENT, NOT_SENT = OutcomeUnknown("no answer", sent=True), OutcomeUnknown("no connection", sent=False)
OK, REPEATED = Outcome(Result.OK, 5), Outcome(Result.ALREADY_PROCESSED, 5)
NOT_FOUND, FAILED = Outcome(Result.TRANSACTION_NOT_FOUND, 5), Outcome(Result.FAILED, 5)
INSUFFICIENT, INACTIVE = Outcome(Result.BALANCE_INSUFFICIENT, 5), Outcome(Result.PLAYER_INACTIVE)
NO_PLAYER = Outcome(Result.PLAYER_NOT_FOUND)
STANDS = Outcome(Result.OK, 5, TransactionState.OK)


def callback(command: str, **data: object) -> Bet | Win | Cancel:
    decoded = decode(body(make_callback(command, **data)), currency_decimals=2)
    assert isinstance(decoded, Bet | Win | Cancel)
    return decoded


def look(row: Row | None, command: str, *, promises: Promises = REMEMBERS, other: Row | None = None) -> Look:
    wanted = callback(command)
    if isinstance(wanted, Cancel):
        return before_call.look_cancel(row, other, wanted, now=NOW, seconds=2)
    return before_call.look_movement(row, other, wanted, promises, now=NOW, seconds=2)


def row_of(command: str) -> Row:
    """The row that a first look of the command makes."""
    row = look(None, command).row
    assert row is not None
    return row


BET, WIN, CANCEL = row_of("bet"), row_of("win"), row_of("cancel")
UNRESOLVED = replace(BET, call=None, movement_unresolved_since=90.0)
MADE = replace(BET, call=None, movement=Movement.CONFIRMED, told=Told.YES, sends=1)
WRITTEN_OFF = replace(MADE, told=Told.NOTHING)
REFUSED = replace(BET, call=None, movement=Movement.REFUSED, told=Told.REFUSED, sends=1)
OWED = replace(UNRESOLVED, cancel=CancelState.OWED, cancel_by_provider=True)
DONE = replace(MADE, cancel=CancelState.DONE, cancel_by_provider=True)
GONE = replace(UNRESOLVED, movement_unresolved_since=None, cancel=CancelState.NOT_FOUND, cancel_by_provider=True)
