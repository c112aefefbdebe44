"""What a wallet has of one transaction, and what a call does to it."""

from enum import StrEnum

from msgspec import Struct
from msgspec.structs import replace

from walletbridge.protocol.outcomes import Result
from walletbridge.rules.row import Kind


class Stand(StrEnum):
    """How a transaction stands in the books."""

    UNKNOWN = "unknown"
    MADE = "made"
    CANCELLED = "cancelled"


class Kindness(Struct, frozen=True, kw_only=True):
    """What a wallet does for its callers beyond the calls themselves."""

    remembers_cancels: bool = True
    """Of transactions that it does not know: a bet that comes later is refused."""
    reports_repeats: bool = True
    """A wallet that does not answers a repeat as if it were new, and after a cancel makes it anew."""


class Books(Struct, frozen=True):
    """A transaction in the wallet's books."""

    stand: Stand = Stand.UNKNOWN
    is_barred: bool = False
    """A cancel came first and was remembered."""
    moved: int = 0
    """How often the money of its bet or win has moved. More than once is the one thing that must never be."""


def execute(books: Books, kind: Kind, kindness: Kindness) -> tuple[Books, Result]:
    """What one call does, checks left aside, and what the wallet says of it."""
    if kind is Kind.CANCEL:
        return _cancel(books, kindness)
    if books.is_barred:
        return books, Result.FAILED
    if books.stand is Stand.UNKNOWN or (books.stand is Stand.CANCELLED and not kindness.reports_repeats):
        return replace(books, stand=Stand.MADE, moved=books.moved + 1), Result.OK
    return books, Result.ALREADY_PROCESSED if kindness.reports_repeats else Result.OK


def _cancel(books: Books, kindness: Kindness) -> tuple[Books, Result]:
    if books.stand is Stand.UNKNOWN:
        return replace(books, is_barred=kindness.remembers_cancels), Result.TRANSACTION_NOT_FOUND
    return replace(books, stand=Stand.CANCELLED), Result.OK
