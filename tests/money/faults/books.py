"""
Compares the three books when all has settled: the provider's, the wallet's and the journal. Pure.

A difference is allowed only where the journal lists the transaction for a person, or where the gateway could not know
(`excuses`).
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from typing import Any

from tests.money.faults.beliefs import Belief, Transaction
from tests.money.faults.excuses import Known, excuse
from tests.money.faults.files import Losses
from tests.money.faults.heard import Heard, Span, Times, journalled
from tests.money.faults.needs import is_needless
from tests.money.faults.players import is_refused

from walletbridge.rules.row import CancelState, Kind, Movement, Row, Told

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Books:
    """All that is known of a run, by transaction."""

    transactions: Mapping[str, Transaction]
    entries: Mapping[str, Entry]
    rows: Mapping[str, Row | None]
    heard: Mapping[str, Heard]
    times: Times = field(default_factory=Times)
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

    def count(self, key: str, problem: str, excuse: str) -> None:
        """Takes in a difference, with what excuses it, if anything does."""
        if excuse:
            self.excused[excuse] += 1
        else:
            self.differences.append((key, problem))


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
    bets = {(one.account, one.round_id): one for one in books.transactions.values() if one.kind == "bet"}
    for key, transaction in books.transactions.items():
        row, entry = books.rows.get(key), books.entries.get(key)
        heard = books.heard.get(key, Heard())
        times = _times_of(key, books)
        answered = journalled(transaction, heard, times)
        if row is not None and row.for_human:
            verdict.for_person.append((key, row.for_human))
        bet = _bet_of(transaction, bets)
        settled = _settled(transaction, bet, books)
        if problem := _of_belief(settled, entry):
            verdict.count(key, problem, excuse(_known(settled, bet, heard, answered, books)))
        problems = [
            *_of_wallet(transaction, entry),
            *_of_files(transaction, books.losses),
            *_needless(row, bets.get((transaction.account, transaction.round_id)), books),
            *_taken_back(transaction, entry, row, is_decided=key in books.decided),
            *_without_row(entry, row, answered, times),
        ]
        if problem := _of_journal(entry, row):
            verdict.count(key, problem, _excuse_of_older(key, row, books.losses))
        if transaction.was_made_before and not heard.doubled:
            problems.append("the bet was answered 41, though it came once")
        if _has_landed_late(transaction, entry):
            verdict.landed_late += 1
            if books.remembers_cancels:
                problems.append("it was made after its cancel had been answered")
        verdict.differences += [(key, problem) for problem in problems]
    strangers = books.entries.keys() - books.transactions.keys()
    verdict.differences += [(key, "the wallet made what the provider never sent") for key in strangers]
    return verdict


def _known(transaction: Transaction, bet: Transaction | None, heard: Heard, answered: set[str], books: Books) -> Known:
    key = transaction.key
    row, row_of_bet = books.rows.get(key), books.rows.get(bet.key) if bet else None
    return Known(
        transaction=transaction,
        row=row,
        heard=heard,
        answered=answered,
        times=books.times,
        losses=books.losses,
        is_listed=any(one is not None and one.for_human for one in (row, row_of_bet)),
        is_decided=key in books.decided,
        made_after_refusal=key in books.made_after_refusal,
        remembers_cancels=books.remembers_cancels,
    )


def _bet_of(win: Transaction, bets: Mapping[tuple[str, str], Transaction]) -> Transaction | None:
    """The bet with which a win stands or falls, where the provider does not know what became of it."""
    return bets.get((win.account, win.round_id)) if win.belief is Belief.MOOT else None


def _settled(win: Transaction, bet: Transaction | None, books: Books) -> Transaction:
    """The same win, with what is to be believed of it by what has become of its bet."""
    if win.belief is not Belief.MOOT:
        return win
    row, entry = (books.rows.get(bet.key), books.entries.get(bet.key)) if bet else (None, None)
    is_cancelled = (row is not None and row.cancel is not CancelState.NONE) or (entry is not None and entry.cancelled)
    return replace(win, belief=Belief.VOID if is_cancelled else Belief.GIVEN_UP)


def _of_belief(transaction: Transaction, entry: Entry | None) -> str:
    is_applied = entry is not None and entry.is_applied
    if transaction.belief is Belief.OPEN:
        return "the provider has not made up its mind"
    if is_applied == transaction.is_owed:
        return ""
    state = "absent" if entry is None else "applied" if is_applied else "cancelled"
    return f"for the provider it is {transaction.belief}, in the wallet it is {state}"


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


def _times_of(key: str, books: Books) -> Times:
    """What was journalled, and is not in the file that a person put in place, is lost; nothing else may be."""
    times, losses = books.times, books.losses
    if not losses.has_lost(key):
        return times
    return replace(times, no_file=[*times.no_file, Span(0.0, losses.restored_at)])


def _without_row(entry: Entry | None, row: Row | None, answered: set[str], times: Times) -> Iterator[str]:
    if row is not None:
        return
    if answered:
        yield f"answered ({', '.join(sorted(answered))}), but the journal has no row"
    if entry is not None and not times.no_file:
        yield "the wallet has it, but the journal has no row"


def _excuse_of_older(key: str, row: Row | None, losses: Losses) -> str:
    """The journal is older than what it is compared with, and no rule has looked at the row since."""
    kept = losses.kept.get(key)
    if row is None or kept is None or (row.movement, row.cancel) != (kept.movement, kept.cancel):
        return ""
    return "" if row.is_open else "the journal is older"


def _needless(row: Row | None, bet: Transaction | None, books: Books) -> Iterator[str]:
    if row is None or is_refused(row.account) or not books.wallet_never_refuses:
        return
    if is_needless(
        row.for_human,
        bet,
        books.times,
        is_win=row.kind is Kind.WIN,
        was_restored=bool(books.losses.restored_at),
        was_decided=bool(row.word) or row.trans_id in books.decided,
    ):
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
