"""What is explored: a bet or a win, what its wallet promises, and what may go wrong in a run."""

from dataclasses import dataclass
from enum import StrEnum

from msgspec import Struct
from tests.money.model.books import Kindness

from walletbridge.protocol.callbacks import Bet, Cancel, Win
from walletbridge.rules.decisions import Times
from walletbridge.rules.promises import Promises, Repeats
from walletbridge.rules.row import Kind

SECONDS = 1
"""What a call may take."""
TIMES = Times(settle_after=2, abandon_after=4, redeliver_for=5, recheck_after=(2, 2), give_up_after=3)
LATE_MAX = 4
"""How long after its deadline a call may still land: longer than is waited, shorter than is asked again."""
SENDS_OF_WIN = 2
SENDS_OF_CANCEL = 2


class Fault(StrEnum):
    """What may go wrong, or happen beside the way that everything goes."""

    CRASH = "the gateway dies"
    LATE = "the call is still at work in the wallet when its deadline passes"
    LOST = "the wallet does it, and its answer is lost"
    NOT_SENT = "there is no connection"
    REFUSED = "the wallet refuses"
    ODD = "the wallet does it, and gives an answer that is none"
    AMNESIA = "the wallet does not find what it has made"
    UNWRITTEN = "what came of it cannot be written"
    WRITTEN_LATE = "what came of it is written only when 500 has gone out"
    UNREAD = "the answer goes out too late for the provider"
    UNSENT = "the answer does not go out"
    STRAGGLES = "the bet or win is under way for so long that its sender gives it up"
    OVERTAKEN = "the provider does not wait for the answer"
    NO_TURN = "the budget passes while the turn is taken"
    CANCEL_LOST = "the cancel never comes here"
    REPEAT = "the bet comes once more"
    CONFLICT = "another callback with the same id comes"
    STATUS = "the provider asks for the status"
    REGRET = "the provider cancels what it believes in"
    WIN_OF_ROUND = "a win of the round comes"
    CANCEL_OF_ROUND = "the bet of the round is cancelled"
    LAG = "the provider asks for the status, and the wallet answers from a replica that lags"
    PRUNE = "the rows at rest are deleted"


ANY = frozenset(Fault) - {Fault.AMNESIA}
"""What no wallet promises never to do."""


class Setting(Struct, frozen=True, kw_only=True):
    """What is explored."""

    kind: Kind = Kind.BET
    kindness: Kindness = Kindness()
    repeats: Repeats = Repeats.REPORTED
    """What the gateway takes the wallet for."""
    faults: tuple[frozenset[Fault], ...] = ()
    """Of each of these one may happen in a run."""
    was_made_before: bool = False
    """The wallet has it from elsewhere."""
    times: Times = TIMES
    takes_turns: bool = True
    intent_first: bool = True
    """The look's row is written before the wallet is called."""
    drops_old_answers: bool = True
    """What the wallet said of a transaction that has changed meanwhile is no answer."""
    end_first: bool = True
    """The end's row is written before the provider is answered."""


@dataclass(frozen=True, slots=True)
class Stage:
    """A setting with the callbacks that come in it."""

    setting: Setting
    promises: Promises
    movement: Bet | Win
    conflict: Bet | Win
    cancel: Cancel

    @property
    def sends(self) -> int:
        """How often the provider sends the bet or win."""
        return SENDS_OF_WIN if self.setting.kind is Kind.WIN else 1
