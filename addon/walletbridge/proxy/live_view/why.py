"""
Explains in one sentence why the answer is what it is. Pure.
"""

from walletbridge.protocol.outcomes import Result
from walletbridge.proxy.live_view.record import Record, Stage

_REFUSED: dict[int, str] = {
    Result.PLAYER_NOT_FOUND: "The wallet does not know this player (check 21).",
    Result.PLAYER_INACTIVE: "The wallet says that this player is not active (check 22).",
    Result.BALANCE_INSUFFICIENT: "The player's balance does not cover the amount (check 31); nothing was taken.",
    Result.TRANSACTION_NOT_FOUND: "The wallet does not know this transaction (check 42).",
    Result.FAILED: "The wallet did not make it, and says so: no money has moved.",
}
_DONE = {
    "authenticate": "The wallet knows the player.",
    "balance": "The wallet told the balance.",
    "bet": "The wallet took the stake.",
    "win": "The wallet paid the win.",
    "cancel": "The wallet reversed the transaction, or had done so before.",
    "status": "The wallet told what became of the transaction.",
}
_CACHED = {
    "hit": "What became of the transaction was still remembered, so the wallet was not asked.",
    "joined": "An equal question was at the wallet, and its answer was shared.",
}
_AFTER_UNKNOWN = {
    "bet": "the provider cancels the bet",
    "win": "the provider sends the win again",
    "cancel": "the provider sends the cancel again",
}
_HTTP_OK, _HTTP_REPLAY, _HTTP_METHOD, _HTTP_SIZE, _HTTP_UNKNOWN = 200, 403, 405, 413, 500


def why(record: Record) -> str:
    """Returns the reason in a sentence or two, followed by other important facts."""
    sentences = [_main(record)]
    times = record.times
    if 0 < times.limit < times.held:
        passed = f"A person held it for {times.held / 1000:.1f} s, and the provider's limit is {times.limit / 1000:g} s"
        sentences.append(f"{passed}: to the provider it has timed out, whatever is answered.")
    if record.is_replay and record.stage is Stage.ANSWERED and record.http_status != _HTTP_REPLAY:
        sentences.append("It is a replay that was allowed by hand; no provider heard the answer.")
    if record.is_edited:
        sentences.append("The answer was edited by hand: what went out is not what the gateway said.")
    if not record.is_delivered:
        sentences.append("The answer did not reach the client.")
    return " ".join(sentences)


def _main(record: Record) -> str:
    if record.stage is Stage.HELD:
        return "A person holds it. The wallet is not called before it is resumed, and then with what it is by then."
    if record.stage is Stage.DROPPED:
        return f"No wallet call: {record.reason}."
    if record.http_status == _HTTP_OK:
        return _of_known(record)
    if record.http_status == _HTTP_UNKNOWN:
        return _of_unknown(record)
    if record.http_status == _HTTP_REPLAY:
        return "A replay or a loaded flow never calls the wallet, unless walletbridge.replay.allow permitted it."
    what = {_HTTP_METHOD: "Callbacks are POST requests", _HTTP_SIZE: "The body is over limits.body_bytes"}
    return f"{what.get(record.http_status, 'The body is no valid callback')}: {record.reason or 'no wallet call'}."


def _of_known(record: Record) -> str:
    if record.result == Result.WRONG_TOKEN:
        return (
            "The token is missing, wrong or there twice, or the sender's address is not allowed. No more was looked at."
        )
    if record.reason:
        return f"Answered {record.result} from the journal: {record.reason}."
    if record.result == 0:
        return _CACHED.get(record.cache) or _DONE.get(record.command, "The wallet said OK.")
    if record.result == Result.ALREADY_PROCESSED:
        return "The wallet has processed this transaction before (check 41); nothing moved a second time."
    return _REFUSED.get(record.result, f"The wallet refused it with {record.result}.")


def _of_unknown(record: Record) -> str:
    follows = _AFTER_UNKNOWN.get(record.command, "the provider may ask again")
    return f"Nobody can say what came of it: {record.reason or 'unknown'}. The answer is 500, so {follows}."
