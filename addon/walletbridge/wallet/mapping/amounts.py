"""
Converts amounts between the forms of wallets and minor units, exactly or not at all.

An amount that a form cannot hold exactly is refused. Only `from_double_rounded` rounds.
"""

import math
import re
from decimal import ROUND_HALF_EVEN, Decimal

from walletbridge.protocol.errors import NotSayable
from walletbridge.protocol.money import INT64_MAX

DOUBLE_MINOR_END = 10**15
"""
Each decimal number of up to 15 digits has its own double. Two longer ones may share a double, which then stands for
either.
"""
NANOS = 10**9
_NANO_DIGITS = 9
_DECIMAL_CHARACTERS_MAX = 64
_PLAIN_DECIMAL = re.compile(r"-?[0-9]+(?:\.[0-9]+)?", re.ASCII)
_PLAIN_INTEGER = re.compile(r"-?[0-9]{1,19}", re.ASCII)


def to_decimal(minor: int, decimals: int) -> str:
    """The amount with all decimals of its currency: `10.50`."""
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
    """The minor units unchanged; None beyond the 64 bits that the gateway can keep."""
    return _within_int64(value)


def from_digits(text: str) -> int | None:
    """Minor units written in digits; None for anything else."""
    return _within_int64(int(text)) if _PLAIN_INTEGER.fullmatch(text) else None


def to_units(minor: int, decimals: int) -> int:
    """The whole units of an amount that is not negative."""
    return minor // _scale(decimals)


def to_nanos(minor: int, decimals: int) -> int:
    """The rest that `to_units` leaves, in billionths of a unit."""
    return minor % _scale(decimals) * _scale(_NANO_DIGITS - decimals)


def from_units_and_nanos(units: int, nanos: int, decimals: int) -> int | None:
    """None where the signs differ, or the nanos hold a whole unit or are finer than the currency."""
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
    """The amount whose double is `value`; None if no amount has this double, as for many sums of doubles."""
    minor = from_double_rounded(value, decimals)
    return minor if minor is not None and minor / _scale(decimals) == value else None


def from_double_rounded(value: float, decimals: int) -> int | None:
    """The amount nearest to `value`; None beyond the amounts that a double holds exactly."""
    if not math.isfinite(value) or abs(value) >= DOUBLE_MINOR_END:
        return None
    minor = int(Decimal(value).scaleb(decimals).to_integral_value(ROUND_HALF_EVEN))
    return minor if abs(minor) < DOUBLE_MINOR_END else None


def _scale(decimals: int) -> int:
    scale: int = 10**decimals
    return scale


def _within_int64(minor: int) -> int | None:
    return minor if -INT64_MAX - 1 <= minor <= INT64_MAX else None
