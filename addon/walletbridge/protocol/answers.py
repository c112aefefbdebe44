"""
Every documented answer: its body, its result code and its HTTP status. PROTOCOL: Answers.

No answer holds `null`, a number as a string, or an inexact number: providers' parsers refuse them.
"""

import json
from collections.abc import Iterable

from msgspec import Struct

from walletbridge.protocol.callbacks import Authenticate, BadCallback, Callback, Status
from walletbridge.protocol.errors import OutcomeUnknown
from walletbridge.protocol.money import format_minor
from walletbridge.protocol.outcomes import WITHOUT_BALANCE, Outcome, Result


class Answer(Struct, frozen=True):
    """An HTTP answer to a callback. Its body is JSON."""

    http_status: int
    result: Result
    body: bytes
    headers: tuple[tuple[bytes, bytes], ...] = ((b"Content-Type", b"application/json"),)


WRONG_TOKEN = Answer(200, Result.WRONG_TOKEN, b'{"result":100,"status":"ERROR"}')
UNKNOWN = Answer(500, Result.FAILED, b'{"result":99,"status":"ERROR"}')
"""The outcome is unknown: money may have moved. The provider cancels the bet, or sends the win or cancel again."""

REPLAY_REFUSED = Answer(
    403, Result.FAILED, b'{"result":99,"status":"ERROR","message":"a replay from the UI is not sent to the wallet"}'
)


def of_outcome(callback: Callback, outcome: Outcome, *, currency_decimals: int) -> Answer:
    """
    Builds the documented answer to `callback` from an outcome that is listed for its command.

    Raises OutcomeUnknown if the answer needs a balance and `outcome` has none.
    """
    if outcome.result in WITHOUT_BALANCE:
        return Answer(200, outcome.result, b'{"result":%d,"status":"ERROR"}' % outcome.result)
    if isinstance(callback, Status) and outcome.result is Result.OK:
        body = _ok(f'"trans_id":{json.dumps(callback.trans_id)},"trans_status":"{outcome.state}"')
        return Answer(200, outcome.result, body.encode())
    if outcome.balance is None:
        raise OutcomeUnknown(f"{outcome.result.name}, but the balance could not be read", sent=True)
    balance = format_minor(outcome.balance, currency_decimals)
    if outcome.result is not Result.OK:
        body = f'{{"result":{outcome.result:d},"status":"ERROR","data":{{"balance":{balance}}}}}'
    elif isinstance(callback, Authenticate):
        body = _ok(f'"account":{json.dumps(callback.account)},"balance":{balance}')
    else:
        body = _ok(f'"balance":{balance}')
    return Answer(200, outcome.result, body.encode())


def of_bad_callback(error: BadCallback) -> Answer:
    """Answers a body that is no valid callback with 400, naming the JSON path and the mistake."""
    return _refused(400, str(error))


def of_method(method: str) -> Answer:
    """Answers a request on the callback path that is not a POST with 405."""
    refused = _refused(405, f"expected POST, got {method[:20]}")
    return Answer(refused.http_status, refused.result, refused.body, (*refused.headers, (b"Allow", b"POST")))


def of_body_size(body_bytes_max: int) -> Answer:
    """Answers a body over the limit with 413."""
    return _refused(413, f"the body is over {body_bytes_max} bytes")


def is_encoded(codings: Iterable[bytes]) -> bool:
    """Whether a request's Content-Encoding values name a coding other than `identity`. RFC 9110 section 8.4."""
    return any(coding.strip().lower() not in {b"", b"identity"} for value in codings for coding in value.split(b","))


def _ok(data: str) -> str:
    return f'{{"result":0,"status":"OK","data":{{{data}}}}}'


def _refused(http_status: int, message: str) -> Answer:
    body = json.dumps({"result": int(Result.FAILED), "status": "ERROR", "message": message}, separators=(",", ":"))
    return Answer(http_status, Result.FAILED, body.encode())


_ENCODED = _refused(415, "the body is compressed; send it as it is, without Content-Encoding")
ENCODED = Answer(
    _ENCODED.http_status, _ENCODED.result, _ENCODED.body, (*_ENCODED.headers, (b"Accept-Encoding", b"identity"))
)
"""The gateway accepts only bodies without a content coding. RFC 9110 section 15.5.16."""
