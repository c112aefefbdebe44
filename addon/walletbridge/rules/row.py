"""
One row of the journal: all that the gateway knows of a transaction. Immutable; the rules make new ones of it.

Times are seconds on the journal's clock, which is no wall clock: only their differences mean something.
"""

from enum import StrEnum

from msgspec import Struct

from walletbridge.protocol.outcomes import Result


class Kind(StrEnum):
    """What is sent to the wallet for a transaction."""

    BET = "bet"
    WIN = "win"
    CANCEL = "cancel"


class Movement(StrEnum):
    """What is known of the bet or win."""

    NONE = "none"
    """No call for it has ended with a definite answer; none may have been sent."""
    CONFIRMED = "confirmed"
    """The wallet said that its money has moved."""
    REFUSED = "refused"
    """The wallet said that it was not made, and no call for it is unresolved."""


class CancelState(StrEnum):
    """What is known of the cancel."""

    NONE = "none"
    OWED = "owed"
    """Its intent is on disk, and it is not settled: not sent, unknown, or refused for now."""
    DONE = "done"
    """The wallet said that the transaction is cancelled."""
    NOT_FOUND = "not_found"
    """The wallet said that it does not know the transaction, and was believed."""
    REFUSED = "refused"
    """The wallet refused it, the provider heard so, and no movement is known that could be undone."""


class Told(StrEnum):
    """Whether the provider was told that the movement was made (result 0 or 41)."""

    NOTHING = "nothing"
    """Nothing but HTTP 500 went out, or what was to go out was certainly not sent."""
    MAYBE = "maybe"
    """It was about to go out; whether it did is not known."""
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
    """The movement's or cancel's callback as JSON, from which it can be sent again."""

    movement: Movement = Movement.NONE
    movement_unresolved_since: float | None = None
    """When the last movement call of unknown outcome ended; None if there is none."""
    cancel: CancelState = CancelState.NONE
    cancel_by_provider: bool = False
    """False: the resolver's or a person's own."""
    cancel_unresolved: bool = False
    """A cancel call has an unknown outcome."""

    call: Kind | None = None
    """The call that holds the turn. If its worker dies, what is known of it is this."""
    call_ends_at: float = 0.0
    """Its deadline."""

    result: Result | None = None
    """The last definite result of the wallet, for people."""
    balance: int | None = None
    """The last balance that came with one, in minor units."""
    told: Told = Told.NOTHING
    told_at: float | None = None
    """When the last answer of any kind was made for this transaction."""
    status_said_ok: bool = False
    """A `status` was answered OK after this row was made."""

    tries: int = 0
    """How many definite refusals the resolver has met in a row."""
    refused_since: float | None = None
    """When it met the first of them."""
    sends: int = 0
    """How many calls were sent to the wallet."""
    next_try_at: float | None = None
    """Not before this does the resolver try again."""
    rechecks_left: int = 0
    """How often a cancel that was believed on time alone is still asked again."""
    for_human: str = ""
    """Why the resolver leaves it to a person; empty if it does not."""
    round_cancelled: bool | None = None
    """Of a win: whether a bet of its round was cancelled. None: not looked up."""
    word: str = ""
    """What a person decided about the row, as JSON (`words.Word`); empty if nobody did."""
    conflicts: int = 0
    """How many callbacks used this `trans_id` with another kind, account or amount."""
    created_at: float = 0.0

    @property
    def is_unresolved(self) -> bool:
        """Whether a movement call has an unknown outcome that nothing later has settled."""
        return self.movement_unresolved_since is not None

    @property
    def is_written_off(self) -> bool:
        """Whether a bet was made that its sender, who heard nothing but 500, takes for not made."""
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
        """Whether a win was made, and no answer that says so is known to have reached the provider."""
        return (
            self.kind is Kind.WIN
            and self.movement is Movement.CONFIRMED
            and self.cancel is CancelState.NONE
            and self.told in {Told.NOTHING, Told.MAYBE}
        )

    @property
    def is_rolled_back(self) -> bool:
        """Whether a win was made and is not known to have been heard of, and a bet of its round is cancelled."""
        return self.round_cancelled is True and self.is_unheard_win and not self.word

    @property
    def is_heard_in_doubt(self) -> bool:
        """Whether a bet was made, and nobody knows whether the provider heard of it (RULES 11)."""
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
        """Whether some call has an unknown outcome, or something is owed. Open rows are never pruned."""
        return (
            self.is_unresolved
            or self.cancel is CancelState.OWED
            or self.is_written_off
            or self.is_win_owed
            or self.is_rolled_back
        )

    @property
    def is_listed(self) -> bool:
        """Whether a person should see it: open, or left to a person, or believed for now only."""
        return self.is_open or bool(self.for_human) or self.rechecks_left > 0
