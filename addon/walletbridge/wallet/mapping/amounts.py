"""
Amounts in the forms that wallets give them, to minor units and back, exactly or not at all.

What a form cannot hold exactly is refused; nothing is rounded but by `from_double_rounded`, which says so in its name.
"""

import math
import re
from decimal import ROUND_HALF_EVEN, Decimal

from walletbridge.protocol.errors import NotSayable
from walletbridge.protocol.money import INT64_MAX

DOUBLE_MINOR_END = 10**15
"""
Any decimal number of up to 15 digits has a double of its own; among larger ones two may share one, and the double says
no longer which it was.
"""
NANOS = 10**9
_NANO_DIGITS = 9
_DECIMAL_CHARACTERS_MAX = 64
_PLAIN_DECIMAL = re.compile(r"-?[0-9]+(?:\.[0-9]+)?", re.ASCII)
_PLAIN_INTEGER = re.compile(r"-?[0-9]{1,19}", re.ASCII)


def to_decimal(minor: int, decimals: int) -> str:
    """`10.50`: with all of the currency's decimals."""
    if not decimals:
        return str(minor)
    whole, fraction = divmod(abs(minor), _scale(decimals))
    return f"{'-' if minor < 0 else ''}{whole}.{fraction:0{decimals}d}"


def from_decimal(text: str, decimals: int) -> int | None:
    """Reads a plain decimal number by its value: `1.500` is 150 cents. None for anything else."""
    if len(text) > _DECIMAL_CHARACTERS_MAX or not _PLAIN_DECIMAL.fullmatch(text):
        return None
    whole, _, fraction = text.partition(".")
    fraction = fraction.rstrip("0")
    if len(fraction) > decimals:
        return None
    return _within_int64(int(whole + fraction.ljust(decimals, "0")))


def from_integer(value: int) -> int | None:
    """Minor units as they are, if they are no more than the gateway can keep."""
    return _within_int64(value)


def from_digits(text: str) -> int | None:
    """Minor units as text."""
    return _within_int64(int(text)) if _PLAIN_INTEGER.fullmatch(text) else None


def to_units(minor: int, decimals: int) -> int:
    """The whole units of an amount that is not negative."""
    return minor // _scale(decimals)


def to_nanos(minor: int, decimals: int) -> int:
    """What `to_units` leaves, in billionths of a unit."""
    return minor % _scale(decimals) * _scale(_NANO_DIGITS - decimals)


def from_units_and_nanos(units: int, nanos: int, decimals: int) -> int | None:
    """None where the signs differ, a whole unit stands among the nanos, or they are finer than the currency."""
    if abs(nanos) >= NANOS or (units > 0 > nanos) or (units < 0 < nanos):
        return None
    finest = _scale(_NANO_DIGITS - decimals)
    if nanos % finest:
        return None
    return _within_int64(units * _scale(decimals) + nanos // finest)


def to_double(minor: int, decimals: int) -> float:
    """The double nearest to the amount. Raises NotSayable for an amount that may share it with another."""
    if abs(minor) >= DOUBLE_MINOR_END:
        raise NotSayable(f"the amount is {DOUBLE_MINOR_END} minor units or more, which a double does not hold exactly")
    return minor / _scale(decimals)


def from_double(value: float, decimals: int) -> int | None:
    """The amount whose double `value` is; None if it is that of none, as sums of doubles often are."""
    minor = from_double_rounded(value, decimals)
    return minor if minor is not None and minor / _scale(decimals) == value else None


def from_double_rounded(value: float, decimals: int) -> int | None:
    """The amount that is nearest to `value`; None beyond what a double holds exactly."""
    if not math.isfinite(value) or abs(value) >= DOUBLE_MINOR_END:
        return None
    minor = int(Decimal(value).scaleb(decimals).to_integral_value(ROUND_HALF_EVEN))
    return minor if abs(minor) < DOUBLE_MINOR_END else None


def _scale(decimals: int) -> int:
    scale: int = 10**decimals
    return scale


def _within_int64(minor: int) -> int | None:
    return minor if -INT64_MAX - 1 <= minor <= INT64_MAX else None
