"""
The rules of the protocol that the simulator checks, each with its section of PROTOCOL.md.
"""

from enum import Enum, unique


@unique
class Rule(Enum):
    """A rule. Its name in lower case is its stable id in reports."""

    def __init__(self, section: str, says: str) -> None:
        self.section = section
        """A heading of PROTOCOL.md."""
        self.says = says
        """The rule in one clause."""

    @property
    def id(self) -> str:
        """The stable id for scripts."""
        return self.name.lower()

    ANSWERED = "Transport", "every callback gets an HTTP answer"
    JSON_ANSWER = "Transport", "the answer's body is a JSON object of at most 64 KiB"
    TOKEN = "Transport", 'a wrong or missing token is answered {"result": 100, "status": "ERROR"}, and nothing moves'
    NUMBERS = "Transport", "`result` and `balance` are JSON numbers, never strings"
    STATUS_WORD = "Transport", '`status` is "OK" with result 0, and "ERROR" with any other'

    TIME_LIMIT = "Time limits", "bet and balance are answered within 2 s, the other commands within 4 s"

    CANCEL_UNANSWERED_BET = "Retries", "a bet that was not answered is cancelled, and takes no money"

    MALFORMED = "Request body", "what decides about money must be there and be right, else nothing moves"
    VARIED = "Request body", "real traffic varies, and a refused callback is a lost bet"
    LOSS = "win", "`win` is sent for a loss as well, with `amount` 0"
    BONUS = "bet", "a `call_id` other than 0 is a bonus in progress, and `amount` may be 0"
    ECHO = "Request body", "`trans_id` is an integer or a string of up to 64 characters, echoed as it was sent"
    CANCEL_BET = "cancel", "cancelling a bet gives the stake back"
    CANCEL_WIN = "cancel", "cancelling a win takes it back"
    CANCEL_TWICE = "cancel", "cancelling what is cancelled already changes nothing and succeeds"

    PLAYER_EXISTS = "Checks", "21 where the player does not exist"
    PLAYER_ACTIVE = "Checks", "22 where the player is not active"
    BALANCE_COVERS = "Checks", "31 with the balance where the balance does not cover the amount, and only there"
    BET_TWICE = "Checks", "41 with the balance where the transaction has been processed already: it moves money once"
    BET_TWICE_UNCOVERED = "Checks", "a bet that is sent twice is 41, also when the balance no longer covers it"
    TRANSACTION_KNOWN = "Checks", "42 with the balance where the transaction is not known"

    AUTHENTICATE = "Answers", "`authenticate` is answered with the account and its balance"
    BALANCE = "Answers", "`balance` is answered with the player's current balance"
    MOVEMENT = "Answers", "the balance in an answer is the current one, after the movement"
    STATUS = "Answers", '`status` is answered with "OK", or "CANCELED" for a cancelled transaction'
    ONE_L = "Answers", '`trans_status` is "OK" or "CANCELED", with one L'
    SHAPE = "Answers", "each answer has its documented fields, with their types"
    EXACT = "Answers", "a whole balance is written without a fraction, another with the fewest digits that are exact"

    DEFINITE_IS_200 = "Outcomes", "a definite answer is HTTP 200"
    UNKNOWN_IS_500 = "Outcomes", "an unknown outcome is HTTP 500"
    NOT_MADE = "Outcomes", "99 says that the movement was not made"
    LATE_BET = "Outcomes", "a bet must never land after its cancel was answered"
    WIN_TWICE = "Outcomes", "a repeated `win` must be 41 with the balance, and must move nothing"
    LEDGER = "Outcomes", "the balance is what the definite answers made it"

    NO_NULL = "Answers", "no field of an answer is `null`, errors included"


FAULTS = frozenset({Rule.ANSWERED, Rule.TIME_LIMIT, Rule.UNKNOWN_IS_500})
"""Unknown outcomes of a faulty wallet. They are no violations if the plan expects faults."""


def sentence(rule: Rule, *, expected: str, got: str) -> str:
    """Returns a sentence with the expected and the actual answer, and the rule."""
    return f"Expected {expected}, got {got}: {rule.says} (PROTOCOL: {rule.section})."
