"""Counts, latencies, and the first few violations of each kind."""

import pytest

from walletbridge.protocol.callbacks import Command
from walletbridge.simulator.plan import Plan
from walletbridge.simulator.report.cases import Case
from walletbridge.simulator.report.recorder import Asked, Recorder, latency
from walletbridge.simulator.rules import Rule
from walletbridge.simulator.wire.calls import Call
from walletbridge.simulator.wire.client import Answer, Exchange, Failure, Token
from walletbridge.simulator.wire.readings import Reading

HIDDEN = "secret"
BET = Call(command=Command.BET, account="test1234", trans_id=1)


def asked(
    result: int | None = 0, *, failure: Failure | None = None, seconds: float = 0.01, body: bytes = b"secret"
) -> Asked:
    answer = Answer(500 if result is None else 200, body) if failure is None else None
    return Asked(BET, Reading(result), Exchange(b'{"a":1}', Token.RIGHT, answer, failure, "secret why", seconds))


def recorder(*, faults_expected: bool = False) -> Recorder:
    plan = Plan(url="http://127.0.0.1/", token=HIDDEN, faults_expected=faults_expected)
    return Recorder(plan, lambda text: text.replace(HIDDEN, "***"))


@pytest.mark.parametrize(
    ("case", "result", "decided", "unknown"),
    [
        (Case.BET, 0, 1, 0),
        (Case.BET, 31, 1, 0),
        (Case.BET, 99, 0, 0),
        (Case.LATE_BET, 99, 1, 0),
        (Case.BET, None, 0, 1),
    ],
)
def test_what_decides_a_case(case: Case, result: int | None, decided: int, unknown: int) -> None:
    notes = recorder()
    notes.record(case, asked(result))

    (count,) = notes.cases
    assert (count.case, count.tried, count.decided, count.unknown) == (case.title, 1, decided, unknown)


@pytest.mark.parametrize(
    ("case", "result", "rule"),
    [
        (Case.LOSS, 99, "loss"),  # never anything but 99
        (Case.CANCEL_BET, None, "cancel_bet"),  # never anything but 500
        (Case.HUNG_UP_BET, None, None),  # nobody waited
        (Case.BET, 0, None),
    ],
)
def test_a_case_must_be_decided_once(case: Case, result: int | None, rule: str | None) -> None:
    notes = recorder()
    notes.record(case, asked(result))
    notes.record(case, asked(result))
    notes.conclude()

    assert [violation.rule for violation in notes.violations] == ([rule] if rule else [])


def test_under_faults_nothing_need_be_decided() -> None:
    notes = recorder(faults_expected=True)
    notes.record(Case.BET, asked(None))
    notes.conclude()

    assert notes.violations_total == 0


@pytest.mark.parametrize(
    ("rule", "counted"), [(Rule.TIME_LIMIT, 0), (Rule.ANSWERED, 0), (Rule.UNKNOWN_IS_500, 0), (Rule.NUMBERS, 1)]
)
def test_expected_faults_are_no_violations(rule: Rule, counted: int) -> None:
    notes = recorder(faults_expected=True)
    notes.violation(Case.BET, rule, "this", "that", [asked()])

    assert notes.violations_total == counted


def test_the_first_few_of_a_kind_are_kept() -> None:
    notes = recorder()
    for _ in range(10):
        notes.violation(Case.BET, Case.BET.rule, "this", "that", [asked()])
        notes.violation(Case.WIN_TWICE, Case.WIN_TWICE.rule, "this", "that", [asked()])
        notes.violation(Case.BET, Rule.NUMBERS, "this", "that", [asked()])
        notes.violation(Case.LOSS, Rule.NUMBERS, "this", "that", [asked()])

    assert notes.violations_total == 40
    assert [violation.rule for violation in notes.violations].count("numbers") == 3
    assert len(notes.violations) == 9


def test_a_violation_shows_request_and_answer_without_the_token() -> None:
    notes = recorder()
    notes.violation(Case.BET, Rule.NUMBERS, "a number", 'a "secret"', [asked(), asked(failure=Failure.BROKEN)])

    (violation,) = notes.violations
    answered, broken = violation.exchanges
    assert violation.sentence == (
        'Expected a number, got a "***": `result` and `balance` are JSON numbers, never strings (PROTOCOL: Transport).'
    )
    assert (answered.request.body, answered.request.headers["Callback-Token"]) == ('{"a":1}', "***")
    assert (answered.answer.http_status, answered.answer.body, answered.answer.failure) == (200, "***", None)
    assert (broken.answer.http_status, broken.answer.failure) == (None, "the connection broke: *** why")


def test_a_long_body_is_cut() -> None:
    notes = recorder()
    notes.violation(Case.BET, Rule.NUMBERS, "this", "that", [asked(body=b"\xff" + b"x" * 60_000)])

    assert len(notes.violations[0].exchanges[0].answer.body) == 2003


def test_latencies_by_nearest_rank() -> None:
    found = latency(Command.BET, 2.0, [second / 1000 for second in range(100, 0, -1)], 7)

    assert (found.limit_ms, found.count, found.over_limit) == (2000, 100, 7)
    assert (found.p50_ms, found.p90_ms, found.p99_ms, found.max_ms) == (50, 90, 99, 100)


def test_the_latency_of_one_answer() -> None:
    found = latency(Command.BET, 2.0, [0.0042], 0)

    assert (found.p50_ms, found.p99_ms, found.max_ms) == (4.2, 4.2, 4.2)


def test_latencies_are_those_of_callbacks_that_were_waited_for() -> None:
    notes = recorder()
    notes.record(Case.BET, asked())
    notes.record(Case.BET, asked(None, failure=Failure.LATE, seconds=2.0))
    notes.record(Case.BET, asked(None, failure=Failure.UNREACHABLE))
    notes.record(Case.HUNG_UP_BET, asked(None, failure=Failure.HUNG_UP))
    notes.record(Case.WRONG_TOKEN, asked(100), decided=True)

    (found,) = notes.latencies()
    assert (found.command, found.count, found.max_ms, found.over_limit) == ("bet", 2, 2000, 1)


def test_each_violation_counts_for_its_rule_and_command_and_each_rule_has_an_example() -> None:
    notes = recorder()
    for case in Case:
        for _ in range(5):
            notes.violation(case, case.rule, "this", "that", [asked()])
    for _ in range(300):
        notes.violation(Case.BET, Rule.NO_NULL, "this", "that", [asked()])

    first, *_ = notes.broken_rules()
    assert (first.rule, first.violations, first.commands) == ("no_null", 300, {"bet": 300})
    assert sum(rule.violations for rule in notes.broken_rules()) == notes.violations_total
    assert {rule.rule for rule in notes.broken_rules()} == {violation.rule for violation in notes.violations}
