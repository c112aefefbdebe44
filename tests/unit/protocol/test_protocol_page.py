"""PROTOCOL.md states what the code does: commands, fields, checks, results, statuses, times, examples."""

import re
from itertools import pairwise

import pytest
from tests.support.authorities import PROTOCOL_PAGE, ROOT, example, sections, table
from tests.support.vectors import load_cases, load_documented

from walletbridge.demo.live import DEMO_TOKEN, GATEWAY_PORT, HOST
from walletbridge.protocol import answers, fields
from walletbridge.protocol.callbacks import BadCallback, Command, decode
from walletbridge.protocol.money import INT64_MAX
from walletbridge.protocol.outcomes import LISTED, WITHOUT_BALANCE, Result
from walletbridge.simulator.plan import LIMITS

JSON_TYPES = {"string": str, "integer": int, "number": int, "object": dict}


def names(cell: str) -> list[str]:
    """What stands in backticks."""
    return re.findall(r"`([^`]+)`", cell)


def numbers(cell: str) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", cell)]


def test_each_command_has_its_section() -> None:
    found = [heading for heading in sections() if heading in set(Command)]

    assert found == list(Command)


def test_the_fields_are_those_of_the_documented_requests() -> None:
    rows = {names(command)[0]: (names(check), names(data)) for command, check, data in table("Request body", "command")}

    for case in load_cases():
        request = case.request
        assert rows[request["command"]] == ([request["check"]], list(request["data"]))
    assert list(rows) == list(Command)


def test_the_types_are_those_of_the_documented_requests() -> None:
    keys = {names(key)[0]: JSON_TYPES[kind] for key, kind, *_ in table("Request body", "key")}
    fields = {names(field)[0]: JSON_TYPES[kind] for field, kind, *_ in table("Request body", "field")}
    requests = [case.request for case in load_cases()]

    assert all({key: type(value) for key, value in request.items()} == keys for request in requests)
    sent = {name: type(value) for request in requests for name, value in request["data"].items()}
    assert sent == fields


@pytest.mark.parametrize("command", Command)
def test_a_curl_line_is_a_documented_request_to_the_demo(command: Command) -> None:
    shown = example(command)

    assert shown.url == f"http://{HOST}:{GATEWAY_PORT}/callback"
    assert shown.headers == {"Callback-Token": DEMO_TOKEN}
    assert shown.request in [case.request for case in load_cases() if case.request["command"] == command]
    assert decode(shown.body, currency_decimals=2).command is command


def test_each_check_has_the_number_of_its_result() -> None:
    checks = {int(check): answer for check, _, answer in table("Checks", "check")}
    without_balance = {check for check, answer in checks.items() if '"balance"' not in answer}

    assert set(checks) == set(Result) - {Result.OK, Result.FAILED, Result.WRONG_TOKEN}
    assert without_balance == WITHOUT_BALANCE
    assert all(f'{{"result":{check},"status":"ERROR"' in answer for check, answer in checks.items())


def test_the_results_of_each_command_are_those_that_are_listed() -> None:
    rows = {Command(names(command)[0]): set(numbers(results)) for command, results in table("Answers", "command")[-6:]}

    assert rows == LISTED


def test_every_result_is_there_with_each_of_its_statuses() -> None:
    rows = [(int(result), status) for result, http, *_ in table("Answers", "result") for status in numbers(http)]
    refusals = [
        answers.of_bad_callback(BadCallback("$", "")),
        answers.of_method("GET"),
        answers.of_body_size(1),
        answers.ENCODED,
        answers.REPLAY_REFUSED,
        answers.UNKNOWN,
    ]

    assert {result for result, _ in rows} == set(Result)
    assert {status for result, status in rows if result == Result.FAILED} == {
        200,
        *(refusal.http_status for refusal in refusals),
    }
    assert {refusal.result for refusal in refusals} == {Result.FAILED}
    assert {status for result, status in rows if result != Result.FAILED} == {200}
    assert {status for http, *_ in table("Answers", "HTTP status") for status in numbers(http)} == {
        status for _, status in rows
    }


def test_the_answer_to_a_wrong_token_is_the_documented_one() -> None:
    assert answers.WRONG_TOKEN.body.decode() in sections()["Transport"]
    assert load_documented().wrong_token_answer == {"result": 100, "status": "ERROR"}


def test_the_time_limits_are_those_of_the_settings_and_of_the_simulator() -> None:
    limits = {names(command)[0]: float(seconds) for command, seconds in table("Time limits", "command")}
    settings = (ROOT / "config" / "walletbridge.yaml").read_text().partition("\ndeadlines:\n")[2]

    assert limits == LIMITS
    of_settings = dict(re.findall(r"^  (\w+): (\S+)$", settings, re.MULTILINE))
    assert {command: float(of_settings[command]) for command in limits} == limits


def test_the_limits_are_those_of_the_code() -> None:
    request, checks, money = (" ".join(sections()[name].split()) for name in ("Request body", "Checks", "Money"))

    assert f"| 1 to {fields.ACCOUNT_CHARACTERS_MAX} characters |" in request
    assert f"of at most {fields.TRANS_ID_CHARACTERS_MAX} characters, or a string of 1 to " in request
    assert f"holds 1 to {fields.CHECKS_MAX} numbers from 1 to {fields.CHECK_MAX}" in checks
    assert f"over {INT64_MAX} minor units" in money


def test_each_link_leads_somewhere() -> None:
    text = PROTOCOL_PAGE.read_text()
    anchors = {heading.lower().replace(" ", "-") for heading in sections()}

    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        path, _, anchor = target.partition("#")
        assert not path or (PROTOCOL_PAGE.parent / path).is_file(), target
        assert not anchor or anchor in anchors, target


def test_the_contents_name_every_section_in_order() -> None:
    text = PROTOCOL_PAGE.read_text()
    headings = re.findall(r"^## (.+)$", text, re.MULTILINE)

    assert re.findall(r"\[([^\]]+)\]\(#", text.partition("\n## ")[0]) == headings
    assert all(text.index(f"\n## {one}\n") < text.index(f"\n## {other}\n") for one, other in pairwise(headings))
