"""
A callback that a person changed while it was held: its sender gets the answer to a different one. RULES 2.
"""

from typing import NamedTuple

from walletbridge.protocol.callbacks import BadCallback, Bet, Callback, Cancel, Win, decode


class Edit(NamedTuple):
    """The callback as received and as a person sent it. None: it moves no money, or is no callback."""

    came: Bet | Win | Cancel | None
    sent: Bet | Win | Cancel | None

    @property
    def is_elsewhere(self) -> bool:
        """Whether the two callbacks do not share a row."""
        return self.came is None or self.sent is None or _row(self.came) != _row(self.sent)

    @property
    def left_out(self) -> str:
        """Why a person must see the received callback."""
        return f"it was held, and a person sent {_words(self.sent)} in its place"

    @property
    def put_in(self) -> str:
        """Why a person must see the sent callback."""
        return f"a person sent it in place of {_words(self.came)}, whose sender hears its answer"


def edit_of(came: bytes, sent: bytes, *, currency_decimals: int) -> Edit | None:
    """The edit from one body to the other; None if it makes no difference to money."""
    if came == sent:
        return None
    edit = Edit(_movement(came, currency_decimals), _movement(sent, currency_decimals))
    return None if _money(edit.came) == _money(edit.sent) else edit


def _movement(body: bytes, currency_decimals: int) -> Bet | Win | Cancel | None:
    try:
        callback: Callback = decode(body, currency_decimals=currency_decimals)
    except BadCallback:
        return None
    return callback if isinstance(callback, Bet | Win | Cancel) else None


def _row(callback: Bet | Win | Cancel) -> tuple[str, str]:
    return callback.account, callback.trans_key


def _money(callback: Bet | Win | Cancel | None) -> tuple[object, ...] | None:
    """The fields that decide where money goes."""
    return None if callback is None else (callback.command, *_row(callback), getattr(callback, "amount", None))


def _words(callback: Bet | Win | Cancel | None) -> str:
    if callback is None:
        return "something that moves no money"
    amount = "" if isinstance(callback, Cancel) else f" of {callback.amount} minor units"
    return f"a {callback.command}{amount}, transaction {callback.trans_key}, account {callback.account}"
