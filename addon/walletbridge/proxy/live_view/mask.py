"""
Hides players' accounts on screens. The wallet and the provider always get the real account. Pure.
"""

import json
import re

HIDDEN = "***"
_SHOWN_FROM = 6
"""A shorter account is hidden completely."""
_IN_BODY = re.compile(rb'("account"\s*:\s*)"((?:[^"\\]|\\.)*)"')


def mask(account: str) -> str:
    """Returns, for example, `t***4`: enough to tell two players apart, too little to identify them."""
    return f"{account[0]}{HIDDEN}{account[-1]}" if len(account) >= _SHOWN_FROM else HIDDEN


def mask_in_text(text: str, account: str) -> str:
    """Returns a text without the account."""
    if len(account) < _SHOWN_FROM:
        # Few characters may occur anywhere; as a whole value they are quoted.
        return text.replace(f'"{account}"', f'"{HIDDEN}"')
    return text.replace(account, mask(account))


def mask_in_body(body: bytes, account: str) -> bytes:
    """
    Returns the JSON of a request or an answer without the account, or a placeholder if the account remains elsewhere in
    it.

    `account` is empty if the body could not be read.
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
