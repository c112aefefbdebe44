"""
Hides players' accounts from who watches. The wallet and the provider always get the real one. Pure.
"""

import json
import re

HIDDEN = "***"
_SHOWN_FROM = 6
"""Of a shorter account not even the ends are shown."""
_IN_BODY = re.compile(rb'("account"\s*:\s*)"((?:[^"\\]|\\.)*)"')


def mask(account: str) -> str:
    """Such as `t***4`: enough to tell two players apart on a screen, too little to know them."""
    return f"{account[0]}{HIDDEN}{account[-1]}" if len(account) >= _SHOWN_FROM else HIDDEN


def mask_in_text(text: str, account: str) -> str:
    """A message or a wallet's remark, without the account."""
    if len(account) < _SHOWN_FROM:
        # A few characters may stand anywhere; as a whole value they stand in quotes.
        return text.replace(f'"{account}"', f'"{HIDDEN}"')
    return text.replace(account, mask(account))


def mask_in_body(body: bytes, account: str) -> bytes:
    """
    The JSON of a request or an answer without the account; where it stands in a way that is not found, nothing of it.

    `account` is empty where the body could not be read.
    """
    masked = _IN_BODY.sub(_masked, body)
    if account and len(account) >= _SHOWN_FROM and account.encode() in masked:
        return b"(hidden: ui.mask_accounts)"
    return masked


def _masked(found: re.Match[bytes]) -> bytes:
    try:
        account = json.loads(b'"%b"' % found[2])
    except ValueError:
        account = ""
    return found[1] + json.dumps(mask(str(account))).encode()
