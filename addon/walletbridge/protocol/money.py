"""
Converts JSON numbers to integer minor units and back, exactly. Nothing here rounds.
"""

import re
from decimal import Decimal

INT64_MAX = 2**63 - 1

_INT64_DIGITS = len(str(INT64_MAX))
_NEGATIVE = "must not be negative"
_TOO_LARGE = "is too large: its minor units exceed 64 bits"
_PLAIN_DECIMAL = re.compile(r"-?[0-9]+(?:\.[0-9]+)?", re.ASCII)


class NotAnAmount(ValueError):
    """
    Raised by `parse_amount`; the text names the mistake and the expected form.
    """


def parse_amount(number: int | Decimal | str, decimals: int) -> int:
    """
    Converts a callback's amount to minor units of a currency with `decimals` decimals.

    Precision goes by value: `1.500` is 1.5, `1e3` is 1000, `-0` is 0. A string must hold a plain decimal number
    (PROTOCOL: Request body). Raises NotAnAmount if the amount is negative, finer than the currency, or beyond int64.
    """
    if isinstance(number, int):
        return _within_int64(number * 10**decimals)
    if isinstance(number, str):
        if not _PLAIN_DECIMAL.fullmatch(number):
            raise NotAnAmount("expected a number, or a string that holds a plain decimal number")
        number = Decimal(number)
    sign, digits, exponent = number.as_tuple()
    if not isinstance(exponent, int):
        raise NotAnAmount("expected a finite number")
    text = "".join(map(str, digits))
    significant = text.rstrip("0")
    if not significant:
        return 0
    if sign:
        raise NotAnAmount(_NEGATIVE)
    # The exponent has no limit, so compare sizes before building a power of ten.
    shift = exponent + len(text) - len(significant) + decimals
    if shift < 0:
        raise NotAnAmount(f"has more than the currency's {decimals} decimals")
    if len(significant) + shift > _INT64_DIGITS:
        raise NotAnAmount(_TOO_LARGE)
    return _within_int64(int(significant) * 10**shift)


def _within_int64(minor: int) -> int:
    if minor < 0:
        raise NotAnAmount(_NEGATIVE)
    if minor > INT64_MAX:
        raise NotAnAmount(_TOO_LARGE)
    return minor


def format_minor(minor: int, decimals: int) -> str:
    """
    Writes minor units as a JSON number: a whole amount without a fraction (`100`), any other with the fewest exact
    digits (`90.5`). PROTOCOL: Answers.
    """
    if not decimals:
        return str(minor)
    whole, fraction = divmod(abs(minor), 10**decimals)
    sign = "-" if minor < 0 else ""
    if not fraction:
        return f"{sign}{whole}"
    return f"{sign}{whole}.{fraction:0{decimals}d}".rstrip("0")
