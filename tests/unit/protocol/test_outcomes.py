"""Which results are known for which command."""

from typing import Any

import pytest

from walletbridge.protocol.callbacks import Cancel, Command, Undo
from walletbridge.protocol.outcomes import LISTED, Outcome, Result, TransactionState, is_listed, is_listed_for

CODES = [0, 21, 22, 31, 41, 42, 99, 100]

# A row for each command, a column for each code. PROTOCOL: Answers.
KNOWN = {
    #                        0  21  22  31  41  42  99 100
    Command.AUTHENTICATE: "yes yes yes  -   -   -   -   - ",
    Command.BALANCE: "     yes yes yes  -   -   -   -   - ",
    Command.BET: "         yes yes yes yes yes  -  yes  - ",
    Command.WIN: "         yes yes yes  -  yes  -  yes  - ",
    Command.CANCEL: "      yes yes yes  -   -  yes yes  - ",
    Command.STATUS: "      yes yes yes  -   -  yes  -   - ",
}

TABLE = [
    (command, Result(code), known == "yes")
    for command, row in KNOWN.items()
    for code, known in zip(CODES, row.split(), strict=True)
]


def test_the_table_speaks_of_every_command_and_every_result() -> None:
    assert len({(command, result) for command, result, _ in TABLE}) == len(Command) * len(Result)
    assert [result.value for result in Result] == CODES
    assert set(LISTED) == set(Command)


@pytest.mark.parametrize(("command", "result", "known"), TABLE)
def test_a_result_is_listed_as_documented(command: Command, result: Result, *, known: bool) -> None:
    state = TransactionState.OK if command is Command.STATUS else None

    assert is_listed(command, Outcome(result, 4000, state)) is known


@pytest.mark.parametrize("command", Command)
def test_only_a_status_that_is_ok_needs_a_state(command: Command) -> None:
    assert is_listed(command, Outcome(Result.OK)) is (command is not Command.STATUS)
    assert is_listed(command, Outcome(Result.PLAYER_NOT_FOUND))


@pytest.mark.parametrize("state", TransactionState)
def test_a_status_with_a_state_is_listed(state: TransactionState) -> None:
    assert is_listed(Command.STATUS, Outcome(Result.OK, 4000, state))


def test_a_state_is_written_in_the_provider_s_words() -> None:
    assert [str(state) for state in TransactionState] == ["OK", "CANCELED"]


@pytest.mark.parametrize("result", Result)
def test_a_movement_that_undoes_another_may_be_refused_or_repeated_as_one(result: Result) -> None:
    of_cancel: dict[str, Any] = {"account": "a", "checks": (42,), "requested_at": None, "trans_id": 1, "round_id": ""}
    of_cancel |= {"provider_id": 0, "game_code": "", "game_name": "", "game_type": ""}
    cancel, undo = Cancel(**of_cancel), Undo(**of_cancel, undone=Command.BET, amount=5)
    is_known = result in LISTED[Command.CANCEL]

    assert is_listed_for(cancel, Outcome(result)) is is_known
    assert is_listed_for(undo, Outcome(result)) is (is_known or result in {31, 41})
