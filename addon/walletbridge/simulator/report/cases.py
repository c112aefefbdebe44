"""
The named cases that the simulator tries, each with the rule that a wrong answer breaks.
"""

from enum import Enum, unique

from walletbridge.simulator.rules import Rule


@unique
class Case(Enum):
    """One kind of call, as reports count it."""

    def __init__(self, title: str, rule: Rule) -> None:
        self.title = title
        """The name in reports; scripts rely on it."""
        self.rule = rule

    AUTHENTICATE = "authenticate", Rule.AUTHENTICATE
    BALANCE = "balance", Rule.BALANCE
    BALANCE_RETRY = "balance, asked again", Rule.BALANCE

    BET = "bet", Rule.MOVEMENT
    BONUS_BET = "bet of 0 in a bonus call", Rule.BONUS
    BET_UNCOVERED = "bet over the balance", Rule.BALANCE_COVERS
    BET_TWICE = "bet sent twice", Rule.BET_TWICE
    BET_TWICE_UNCOVERED = "bet sent twice, the balance no longer covers it", Rule.BET_TWICE_UNCOVERED
    BET_AFTER_CANCEL = "bet sent again after its cancel", Rule.LATE_BET
    LATE_BET = "bet overtaken by its cancel", Rule.LATE_BET
    STRING_BET = "bet with a string trans_id", Rule.ECHO
    VARIED_BET = "bet with unlisted, missing or converted fields", Rule.VARIED

    WIN = "win", Rule.MOVEMENT
    LOSS = "loss: a win of 0", Rule.LOSS
    BONUS_WIN = "win in a bonus call", Rule.BONUS
    WIN_TWICE = "win sent twice", Rule.WIN_TWICE
    WIN_RETRY = "win sent again, unanswered before", Rule.WIN_TWICE
    WIN_AFTER_CANCEL = "win sent again after its cancel", Rule.WIN_TWICE
    STRING_WIN = "win with a string trans_id", Rule.ECHO

    CANCEL_BET = "cancel of a bet", Rule.CANCEL_BET
    CANCEL_WIN = "cancel of a win", Rule.CANCEL_WIN
    CANCEL_TWICE = "cancel sent twice", Rule.CANCEL_TWICE
    CANCEL_RETRY = "cancel sent again, unanswered before", Rule.CANCEL_TWICE
    CANCEL_UNKNOWN = "cancel of an unknown transaction", Rule.TRANSACTION_KNOWN
    CANCEL_UNANSWERED_BET = "cancel of an unanswered bet", Rule.CANCEL_UNANSWERED_BET

    STATUS = "status of a bet or win", Rule.STATUS
    STATUS_CANCELED = "status of a cancelled transaction", Rule.STATUS
    STATUS_UNKNOWN = "status of an unknown transaction", Rule.TRANSACTION_KNOWN
    STATUS_STRING = "status with a string trans_id", Rule.ECHO

    UNKNOWN_ACCOUNT = "unknown account", Rule.PLAYER_EXISTS
    INACTIVE_ACCOUNT = "inactive account", Rule.PLAYER_ACTIVE
    WRONG_TOKEN = "wrong token", Rule.TOKEN
    MISSING_TOKEN = "missing token", Rule.TOKEN
    MALFORMED = "malformed body", Rule.MALFORMED

    SAME_BET_AT_ONCE = "the same bet several times at once", Rule.BET_TWICE
    SAME_WIN_AT_ONCE = "the same win several times at once", Rule.WIN_TWICE
    SAME_CANCEL_AT_ONCE = "the same cancel several times at once", Rule.CANCEL_TWICE
    BET_AND_CANCEL_AT_ONCE = "a bet and its cancel at once", Rule.LATE_BET
    BETS_AT_ONCE = "bets at once, of which the balance covers one", Rule.BALANCE_COVERS
    MIXED_AT_ONCE = "different bets and wins at once", Rule.MOVEMENT
    HUNG_UP_BET = "bet, and the provider hangs up", Rule.CANCEL_UNANSWERED_BET
    HUNG_UP_WIN = "win, and the provider hangs up", Rule.WIN_TWICE

    FINAL_STATUS = "final status of every transaction", Rule.LEDGER
    FINAL_BALANCE = "final balance", Rule.LEDGER


MAY_BE_REFUSED = frozenset({Case.BET_AFTER_CANCEL, Case.LATE_BET, Case.WIN_AFTER_CANCEL, Case.BET_AND_CANCEL_AT_ONCE})
"""99 is as good as any answer here. Elsewhere, a wallet that answers nothing but 99 has not shown its ability."""

WITHOUT_ANSWER = frozenset({Case.HUNG_UP_BET, Case.HUNG_UP_WIN})
"""The provider does not wait for these answers; the next call shows the outcome."""
