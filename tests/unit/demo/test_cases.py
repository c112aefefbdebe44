"""The documented callbacks, as the demo runs them."""

import json
from importlib.resources import files

from tests.support.vectors import load_documented

from walletbridge.demo.cases import Case, documented_cases

DOCUMENTED = load_documented()


def by_name(name: str) -> Case:
    [case] = [case for case in documented_cases() if case.name == name]
    return case


def test_the_demo_has_the_documented_cases_and_no_others() -> None:
    """One file is in the package, the other stands with the tests; nobody may change but one of them."""
    *cases, _ = documented_cases()

    assert [(case.name, case.request, case.http_status, case.answer) for case in cases] == [
        (case.name, case.request, case.http_status, case.answer) for case in DOCUMENTED.cases
    ]
    packaged = json.loads((files("walletbridge.demo") / "documented.json").read_text())
    assert [case.players for case in cases] == [case["given"]["players"] for case in packaged["cases"]]
    assert all(case.has_token for case in cases)


def test_the_last_case_is_a_wrong_token() -> None:
    *cases, last = documented_cases()

    assert (last.name, last.has_token) == ("wrong token", False)
    assert last.answer == DOCUMENTED.wrong_token_answer
    assert last.request in [case.request for case in cases]


def test_every_command_and_every_documented_result_is_among_them() -> None:
    cases = documented_cases()

    assert {case.request["command"] for case in cases} == {"authenticate", "balance", "bet", "win", "cancel", "status"}
    assert {case.answer["result"] for case in cases} == {0, 21, 22, 31, 41, 42, 100}


def test_an_answer_is_compared_byte_for_byte() -> None:
    case = by_name("wrong token")

    assert case.answer_bytes == b'{"result":100,"status":"ERROR"}'
