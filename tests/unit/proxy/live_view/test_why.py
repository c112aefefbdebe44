"""One sentence for each answer."""

import pytest
from tests.unit.proxy.live_view.records import bet_record, plain_record, status_record, unknown_record
from tests.unit.proxy.live_view.test_one_line import by_journal, dropped, held

from walletbridge.observe.trace import CacheUse
from walletbridge.protocol import answers
from walletbridge.protocol.callbacks import Command
from walletbridge.protocol.outcomes import Result
from walletbridge.proxy.live_view.record import Milliseconds, Record
from walletbridge.proxy.live_view.why import why


@pytest.mark.parametrize(
    ("record", "sentence"),
    [
        (bet_record(), "The wallet took the stake."),
        (bet_record(Result.PLAYER_NOT_FOUND), "does not know this player (check 21)"),
        (bet_record(Result.PLAYER_INACTIVE), "not active (check 22)"),
        (bet_record(Result.BALANCE_INSUFFICIENT), "does not cover the amount (check 31)"),
        (bet_record(Result.ALREADY_PROCESSED), "processed this transaction before (check 41)"),
        (bet_record(Result.FAILED), "no money has moved"),
        (by_journal(), "Answered 41 from the journal: made before; the journal knows."),
        (status_record(CacheUse.HIT), "still remembered, so the wallet was not asked"),
        (status_record(CacheUse.JOINED), "its answer was shared"),
        (status_record(CacheUse.MISS), "told what became of the transaction"),
        (
            unknown_record(),
            "did not answer within the budget. The answer is 500, so the provider cancels the bet.",
        ),
        (plain_record(answers.WRONG_TOKEN), "The token is missing, wrong or there twice"),
        (plain_record(answers.of_method("GET")), "Callbacks are POST requests"),
        (plain_record(answers.of_body_size(10)), "over limits.body_bytes"),
        (plain_record(answers.REPLAY_REFUSED), "walletbridge.replay.allow"),
        (
            Record(http_status=400, reason="$.check: x", place="$.check"),
            "The body is no valid callback: $.check: x.",
        ),
        (held(), "A person holds it."),
        (dropped(), "No wallet call: aborted by hand."),
        (Record(http_status=200, result=77), "refused it with 77"),
    ],
)
def test_the_answer_is_explained(record: Record, sentence: str) -> None:
    assert sentence in why(record)


@pytest.mark.parametrize("command", Command)
def test_every_command_has_its_success(command: Command) -> None:
    assert why(Record(command=command, http_status=200)) not in {"", "The wallet said OK."}


def test_what_a_person_did_is_said() -> None:
    record = bet_record()
    record.is_edited, record.is_delivered, record.is_replay = True, False, True
    record.times = Milliseconds(held=2500.0, limit=2000.0)

    text = why(record)
    assert "A person held it for 2.5 s, and the provider's limit is 2 s" in text
    assert "replay that was allowed by hand" in text
    assert "edited by hand" in text
    assert "did not reach the client" in text
