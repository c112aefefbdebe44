"""
One row of the journal: all that the gateway knows of a transaction. Immutable; the rules make new rows from it.

Times are seconds on the journal's clock, not the wall clock: only their differences mean something (RULES 12).
"""

from enum import StrEnum

from msgspec import Struct

from walletbridge.protocol.outcomes import Result


class Kind(StrEnum):
    """The wallet calls for a transaction."""

    BET = "bet"
    WIN = "win"
    CANCEL = "cancel"


class Movement(StrEnum):
    """The known state of the bet or win."""

    NONE = "none"
    """No call for it has ended with a definite answer; perhaps none was sent."""
    CONFIRMED = "confirmed"
    """The wallet confirmed that its money has moved."""
    REFUSED = "refused"
    """The wallet refused it, and no call for it is unresolved."""


class CancelState(StrEnum):
    """The known state of the cancel."""

    NONE = "none"
    OWED = "owed"
    """Its intent is on disk, and it is not settled: not sent, unknown, or refused for now."""
    DONE = "done"
    """The wallet confirmed that the transaction is cancelled."""
    NOT_FOUND = "not_found"
    """The wallet did not know the transaction (42), and was believed (RULES 7)."""
    REFUSED = "refused"
    """The wallet refused it, the refusal went out, and no movement is known that could be undone."""


class Told(StrEnum):
    """Whether an answer that the movement was made (result 0 or 41) went out to the provider."""

    NOTHING = "nothing"
    """Only HTTP 500 went out, or the answer was certainly not delivered."""
    MAYBE = "maybe"
    """The answer was made; whether it was delivered is unknown."""
    YES = "yes"
    REFUSED = "refused"
    """A definite refusal went out."""


class Row(Struct, frozen=True, kw_only=True):
    """A transaction of an account."""

    account: str
    trans_id: str
    """As text: `1` and `"1"` are one transaction."""

    kind: Kind | None = None
    """BET or WIN; None while only a cancel has been seen."""
    amount: int | None = None
    """In minor units."""
    round_id: str = ""
    """Empty: no round."""
    request: str = ""
    """The callback of the movement or cancel as JSON (`stored_callback`), for sending it again."""

    movement: Movement = Movement.NONE
    movement_unresolved_since: float | None = None
    """When the last movement call of unknown outcome ended; None if there is none."""
    cancel: CancelState = CancelState.NONE
    cancel_by_provider: bool = False
    """False: the resolver or a person started the cancel."""
    cancel_unresolved: bool = False
    """A cancel call has an unknown outcome."""

    call: Kind | None = None
    """The call that holds the turn. If its worker dies, only this is known of the call."""
    call_ends_at: float = 0.0
    """The deadline of `call`."""

    result: Result | None = None
    """The last definite result of the wallet."""
    balance: int | None = None
    """The last balance that came with a result, in minor units."""
    told: Told = Told.NOTHING
    told_at: float | None = None
    """When the last answer of any kind was made for this transaction."""
    status_said_ok: bool = False
    """A `status` of the provider was answered OK after this row was made."""

    tries: int = 0
    """How many consecutive definite refusals the resolver has met."""
    refused_since: float | None = None
    """When the resolver met the first of them."""
    sends: int = 0
    """How many calls were sent to the wallet."""
    next_try_at: float | None = None
    """The earliest time of the resolver's next try."""
    rechecks_left: int = 0
    """How often a 42 that was believed on time alone is still asked again."""
    for_human: str = ""
    """Why the resolver leaves the row to a person; empty if it does not."""
    round_cancelled: bool | None = None
    """For a win: whether a bet of its round was cancelled. None: not looked up."""
    word: str = ""
    """A person's decision about the row, as JSON (`words.Word`); empty if there is none."""
    conflicts: int = 0
    """How many callbacks used this `trans_id` with another kind, account or amount."""
    created_at: float = 0.0

    @property
    def is_unresolved(self) -> bool:
        """Whether a movement call has an unknown outcome that nothing later has settled."""
        return self.movement_unresolved_since is not None

    @property
    def is_written_off(self) -> bool:
        """Whether a bet was made but answered only 500, so that the provider takes it for not made."""
        return (
            self.kind is Kind.BET
            and self.movement is Movement.CONFIRMED
            and self.cancel is CancelState.NONE
            and self.told is Told.NOTHING
        )

    @property
    def is_win_owed(self) -> bool:
        """Whether a win was neither made nor refused."""
        return (
            self.kind is Kind.WIN
            and self.movement is Movement.NONE
            and self.cancel is CancelState.NONE
            and self.told is Told.NOTHING
        )

    @property
    def is_unheard_win(self) -> bool:
        """Whether a win was made, and no answer 0 or 41 is known to have reached the provider."""
        return (
            self.kind is Kind.WIN
            and self.movement is Movement.CONFIRMED
            and self.cancel is CancelState.NONE
            and self.told in {Told.NOTHING, Told.MAYBE}
        )

    @property
    def is_rolled_back(self) -> bool:
        """Whether an unheard win, not decided by a person, has a cancelled bet in its round (RULES 9)."""
        return self.round_cancelled is True and self.is_unheard_win and not self.word

    @property
    def is_heard_in_doubt(self) -> bool:
        """Whether a bet was made, and it is unknown whether the provider heard of it (RULES 11)."""
        return (
            self.kind is Kind.BET
            and self.movement is Movement.CONFIRMED
            and self.cancel is CancelState.NONE
            and self.told is Told.MAYBE
        )

    @property
    def may_stand(self) -> bool:
        """Whether the bet or win has moved money, or may have, so that a cancel of it has something to undo."""
        return self.movement is Movement.CONFIRMED or self.is_unresolved

    @property
    def is_open(self) -> bool:
        """Whether a call has an unknown outcome, or a win, cancel or undo is owed. Open rows are never pruned."""
        return (
            self.is_unresolved
            or self.cancel is CancelState.OWED
            or self.is_written_off
            or self.is_win_owed
            or self.is_rolled_back
        )

    @property
    def is_listed(self) -> bool:
        """Whether a person should see the row: it is open, left to a person, or believed for now only."""
        return self.is_open or bool(self.for_human) or self.rechecks_left > 0
