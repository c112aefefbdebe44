"""The numbers of the checks have one home, with which results, wallet.v1, PROTOCOL.md and the examples agree."""

import ast
from pathlib import Path

import pytest
from tests.support.authorities import table
from tests.support.vectors import Case, load_cases

from walletbridge.protocol import fields
from walletbridge.protocol.callbacks import Command
from walletbridge.protocol.checks import DOCUMENTED, MEANINGS, OF_PLAYER, Check, text_of
from walletbridge.protocol.outcomes import WITHOUT_BALANCE, Result
from walletbridge.rules.promises import Promises
from walletbridge.wallet.v1 import wallet_service_pb2 as v1

PACKAGE = Path(__file__).parents[3] / "addon" / "walletbridge"
OWN = [PACKAGE / "protocol" / "checks.py", PACKAGE / "protocol" / "outcomes.py"]
OTHERS = [
    path
    for path in sorted(PACKAGE.rglob("*.py"))
    # `serve` knows nothing of checks; 22 and 41 are numbers of other things there.
    if path not in OWN and not path.stem.endswith("_pb2") and not path.is_relative_to(PACKAGE / "serve")
]


def test_each_check_has_the_number_of_a_result() -> None:
    assert [Result(check) for check in Check] == [
        Result.PLAYER_NOT_FOUND,
        Result.PLAYER_INACTIVE,
        Result.BALANCE_INSUFFICIENT,
        Result.ALREADY_PROCESSED,
        Result.TRANSACTION_NOT_FOUND,
    ]


def test_the_failed_checks_of_a_player_carry_no_balance() -> None:
    assert {result.value for result in WITHOUT_BALANCE} == {check.value for check in OF_PLAYER}


def test_wallet_v1_has_the_same_checks() -> None:
    numbers = {name: number for name, number in v1.Check.items() if number}

    assert numbers == {f"CHECK_{check.name}": check.value for check in Check}


def test_a_wallet_v1_promises_to_make_them_all() -> None:
    assert Promises(late_bets_refused=True).checks == set(Check)


def test_the_meanings_are_those_of_the_protocol_s_page() -> None:
    assert {int(number): meaning for number, meaning, _ in table("Checks", "check")} == MEANINGS
    assert list(MEANINGS) == list(Check)


@pytest.mark.parametrize("case", load_cases(), ids=lambda case: case.name)
def test_a_documented_request_asks_for_the_documented_checks(case: Case) -> None:
    command = Command(case.request["command"])

    assert text_of(DOCUMENTED[command]) == case.request["check"]
    assert fields.checks(case.request["check"], "$.check") == DOCUMENTED[command]


def test_every_command_has_its_checks() -> None:
    assert list(DOCUMENTED) == list(Command)


def test_a_check_is_written_as_its_number() -> None:
    assert (f"{Check.PLAYER_EXISTS}", str(Check.NOT_PROCESSED)) == ("21", "41")
    assert text_of([21, Check.PLAYER_ACTIVE]) == "21,22"


@pytest.mark.parametrize("path", OTHERS, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_no_other_module_has_a_number_of_its_own(path: Path) -> None:
    """No tuple, list, set, comparison or table key in the package holds the number of a check."""
    found: list[int] = []
    for node in ast.walk(ast.parse(path.read_bytes())):
        match node:
            case ast.Tuple(elts=parts) | ast.List(elts=parts) | ast.Set(elts=parts) | ast.Compare(comparators=parts):
                held = parts
            case ast.Dict(keys=keys):
                held = [key for key in keys if key is not None]
            case ast.Assign(value=value):
                held = [value]
            case _:
                continue
        found += [part.lineno for part in held if isinstance(part, ast.Constant) and part.value in set(Check)]

    assert found == []
