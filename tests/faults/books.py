"""
Compares the three books when all has settled: the provider's, the wallet's and the journal. Pure.

A difference is allowed only where the journal lists the transaction for a person, or where the gateway could not know:
it never heard of what the provider gave up on, or its disk was full, and it said so in its log.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Any

from tests.faults.beliefs import Belief, Transaction
from tests.faults.files import Losses
from tests.faults.players import is_refused

from walletbridge.journal.row import CancelState, Movement, Row, Told

_ROUNDED_SECONDS = 0.002
"""By how much a time in the wallet's books may be too early, which are whole milliseconds."""


@dataclass(slots=True)
class Entry:
    """What the wallet has of a transaction."""

    account: str
    kind: str
    amount: int
    cancelled: bool
    moved: dict[str, tuple[int, float]] = field(default_factory=dict)
    """By kind of movement: what it did to the balance, and when, in Unix seconds."""

    @property
    def is_applied(self) -> bool:
        return not self.cancelled


@dataclass(slots=True)
class Heard:
    """What the gateways' logs say of a transaction, and the network."""

    commands: set[str] = field(default_factory=set)
    """Which were answered."""
    lost: set[str] = field(default_factory=set)
    """Which could not be journalled, and were not sent to the wallet."""
    undelivered: set[str] = field(default_factory=set)
    """Whose last definite answer could not be delivered, for all that the gateway knows."""
    definite_at: dict[str, float] = field(default_factory=dict)
    """When the last definite answer to a command was made, in Unix seconds."""
    straggled: bool = False
    """Whether the network let it come twice, or late."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Books:
    """All that is known of a run, by transaction."""

    transactions: Mapping[str, Transaction]
    entries: Mapping[str, Entry]
    rows: Mapping[str, Row | None]
    heard: Mapping[str, Heard]
    blind: Sequence[tuple[float, float]] = ()
    """From when to when a gateway could answer and not journal, in Unix seconds."""
    losses: Losses = field(default_factory=Losses)
    made_after_refusal: AbstractSet[str] = frozenset()
    """See `Refusals`."""
    decided: AbstractSet[str] = frozenset()
    """Listed transactions that a person resolved."""
    remembers_cancels: bool = True
    wallet_never_refuses: bool = False
    """Whether a refusal by the wallet, of a player whom it knows and serves, can only be one that passes."""


@dataclass(slots=True)
class Verdict:
    """What the comparison found."""

    differences: list[tuple[str, str]] = field(default_factory=list)
    """Transaction and what is wrong with it."""
    for_person: list[tuple[str, str]] = field(default_factory=list)
    """Transactions that the journal leaves to a person, and why."""
    excused: Counter[str] = field(default_factory=Counter)
    """Differences that are for a person, or that the gateway could not know of."""
    landed_late: int = 0
    """Movements that a forgetful wallet made after their cancel had been answered."""


def entries_of(dump: Mapping[str, list[dict[str, Any]]]) -> dict[str, Entry]:
    """The wallet's transactions, from `Ledger.dump`."""
    entries = {
        row["trans_id"]: Entry(row["account"], row["kind"], row["amount_minor"], bool(row["canceled"]))
        for row in dump["transactions"]
    }
    for row in dump["movements"]:
        entries[row["trans_id"]].moved[row["kind"]] = (row["delta_minor"], row["time_ms"] / 1000)
    return entries


def sums(dump: Mapping[str, list[dict[str, Any]]]) -> Iterator[tuple[str, str]]:
    """Accounts whose balance is not what was seeded and moved."""
    for player in dump["players"]:
        account = player["account"]
        moved = sum(row["delta_minor"] for row in dump["movements"] if row["account"] == account)
        if player["seed_minor"] + moved != player["balance_minor"]:
            yield account, f"{player['seed_minor']} and {moved} are not {player['balance_minor']}"


def compare(books: Books) -> Verdict:
    """Looks at every transaction from all sides."""
    verdict = Verdict()
    for key, transaction in books.transactions.items():
        row, entry = books.rows.get(key), books.entries.get(key)
        heard = books.heard.get(key, Heard())
        answered = _answered(transaction, heard, books)
        if row is not None and row.for_human:
            verdict.for_person.append((key, row.for_human))
        if problem := _of_belief(transaction, entry):
            is_anew = heard.straggled and key in books.made_after_refusal
            excuse = _excuse_of_world(key, books)
            if excuse := excuse or _excuse(transaction, row, heard, answered, is_anew=is_anew):
                verdict.excused[excuse] += 1
            else:
                verdict.differences.append((key, problem))
        problems = [
            *_of_wallet(transaction, entry),
            *_of_files(transaction, books.losses),
            *_needless(row, books),
            *_taken_back(transaction, entry, row, is_decided=key in books.decided),
        ]
        if problem := _of_journal(entry, row):
            if excuse := _excuse_of_older(key, row, books.losses):
                verdict.excused[excuse] += 1
            else:
                problems.append(problem)
        if row is None and answered:
            problems.append(f"answered ({', '.join(sorted(answered))}), but the journal has no row")
        if _has_landed_late(transaction, entry):
            verdict.landed_late += 1
            if books.remembers_cancels:
                problems.append("it was made after its cancel had been answered")
        verdict.differences += [(key, problem) for problem in problems]
    strangers = books.entries.keys() - books.transactions.keys()
    verdict.differences += [(key, "the wallet made what the provider never sent") for key in strangers]
    return verdict


def _of_belief(transaction: Transaction, entry: Entry | None) -> str:
    is_applied = entry is not None and entry.is_applied
    if transaction.belief is Belief.OPEN:
        return "the provider has not made up its mind"
    if is_applied == transaction.is_owed or transaction.belief is Belief.MOOT:
        return ""
    state = "absent" if entry is None else "applied" if is_applied else "cancelled"
    return f"for the provider it is {transaction.belief}, in the wallet it is {state}"


_LOST_ON_THE_WAY = {
    (Belief.VOID, Told.YES): "its answer was lost on the way",
    (Belief.GIVEN_UP, Told.REFUSED): "its refusal was lost on the way",
}
"""Of a win: the gateway handed the answer over, and cannot know that the provider never got it."""


def _excuse(
    transaction: Transaction, row: Row | None, heard: Heard, answered: AbstractSet[str], *, is_anew: bool
) -> str:
    if row is not None and row.for_human:
        return "left to a person"
    if transaction.belief is Belief.REFUSED and is_anew:
        # Nobody can tell a straggler from one that is sent again because it was refused.
        return "came again after its refusal"
    if transaction.belief is Belief.GIVEN_UP and (row is None or row.kind is None):
        return "only in the log" if heard.lost else "" if answered else "never heard of"
    if row is not None and (lost := _LOST_ON_THE_WAY.get((transaction.belief, row.told))):
        return _excuse_of_lost(transaction, row, heard, lost)
    if transaction.belief is Belief.CANCEL_GIVEN_UP and (row is None or row.cancel is CancelState.NONE):
        return "only in the log" if "cancel" in heard.lost else "" if "cancel" in answered else "never heard of"
    return ""


def _excuse_of_lost(transaction: Transaction, row: Row, heard: Heard, lost: str) -> str:
    if row.told is Told.YES and _was_asked_again(transaction, heard):
        return "only in the log" if "win" in heard.lost else ""
    return "" if "win" in heard.undelivered else lost


def _was_asked_again(transaction: Transaction, heard: Heard) -> bool:
    """Whether a repeat of the win was answered 500 once its 0 had gone out: it shows that the 0 was lost."""
    made_at = heard.definite_at.get("win", float("inf"))
    return any(command == "win" and at > made_at for command, at in transaction.heard)


def _of_wallet(transaction: Transaction, entry: Entry | None) -> Iterator[str]:
    if entry is None:
        return
    expected = (transaction.account, transaction.kind, transaction.amount)
    if (entry.account, entry.kind, entry.amount) != expected:
        yield f"the wallet made something else: {entry}"
    deltas = {transaction.kind: transaction.delta}
    if entry.cancelled:
        deltas["cancel"] = -transaction.delta
    if {kind: delta for kind, (delta, _) in entry.moved.items()} != deltas:
        yield f"the wallet moved {entry.moved}, expected {deltas}"


def _answered(transaction: Transaction, heard: Heard, books: Books) -> set[str]:
    """
    The bets, wins and cancels that were answered, and so must have been journalled.

    While a disk is full there is but a line in the log, and that is lost where the gateway is killed a moment later. A
    gateway that ends answers 500 to what still comes over connections that are open, once its journal is closed. What
    was answered before the gateways were started on an older file may be in none.
    """
    blind = [*books.blind, *books.losses.gone, (0.0, books.losses.restored_at)]
    journalled = {
        command for command, at in transaction.heard if not any(since <= at <= until for since, until in blind)
    }
    if books.losses.restored_at:
        return journalled - heard.lost - {"status"}
    return (journalled | heard.commands) - heard.lost - {"status"}


def _excuse_of_world(key: str, books: Books) -> str:
    if key in books.decided:
        return "a person decided"
    before = books.losses.before.get(key)
    return "owed, and lost with the file" if before is not None and before.is_listed else ""


def _excuse_of_older(key: str, row: Row | None, losses: Losses) -> str:
    """The journal is older than what it is compared with, and no rule has looked at the row since."""
    kept = losses.kept.get(key)
    if row is None or kept is None or (row.movement, row.cancel) != (kept.movement, kept.cancel):
        return ""
    return "" if row.is_open else "the journal is older"


def _needless(row: Row | None, books: Books) -> Iterator[str]:
    if row is None or is_refused(row.account) or not books.wallet_never_refuses:
        return
    if row.for_human.startswith("refused"):
        yield f"left to a person without need: {row.for_human}"


def _of_files(transaction: Transaction, losses: Losses) -> Iterator[str]:
    for command, sent_at in transaction.made:
        if any(since <= sent_at <= until for since, until in losses.gone):
            yield f"its {command} was answered 0 though the journal's file was gone"


def _taken_back(transaction: Transaction, entry: Entry | None, row: Row | None, *, is_decided: bool) -> Iterator[str]:
    """
    A win of which the journal knows that it was heard of is its sender's to cancel, also where rounds are voided
    (RULES 9). A sender that cancels it a moment later would hide that the gateway did.
    """
    if transaction.kind != "win" or entry is None or row is None or row.told is not Told.YES or is_decided:
        return
    sent_at = transaction.cancel_sent_at
    # 0 where nothing had to move: then the wallet has no time of it.
    if entry.cancelled and sent_at is not None and 0 < entry.moved["cancel"][1] < sent_at - _ROUNDED_SECONDS:
        yield "the win was heard of, and was cancelled before its sender asked for that"


def _of_journal(entry: Entry | None, row: Row | None) -> str:
    if row is None or row.for_human:
        return ""
    if row.is_open or row.call is not None or row.rechecks_left:
        return "its row is still open"
    if row.kind is not None and _says_applied(row) != (entry is not None and entry.is_applied):
        return f"the journal has movement {row.movement} and cancel {row.cancel}; the wallet has {entry}"
    return ""


def _says_applied(row: Row) -> bool:
    return row.movement is Movement.CONFIRMED and row.cancel is CancelState.NONE


def _has_landed_late(transaction: Transaction, entry: Entry | None) -> bool:
    if entry is None or transaction.cancelled_at is None:
        return False
    return entry.moved[transaction.kind][1] > transaction.cancelled_at


def by_reason(pairs: Iterable[tuple[str, str]]) -> Counter[str]:
    """How often each reason stands in pairs of transaction and reason."""
    return Counter(reason for _, reason in pairs)
