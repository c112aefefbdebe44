"""
Prints a report for people with rich: by rule, with one example of each, or with all kept violations.
"""

import shlex
from collections.abc import Iterator

from rich.console import Console, Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from walletbridge.observe.printable_tables import Printable
from walletbridge.simulator.report.report import (
    AccountLine,
    BrokenRule,
    Report,
    ShownExchange,
    ShownRequest,
    TransactionLine,
    Violation,
)

_UNSETTLED_SHOWN_MAX = 20
_EXCHANGES_SHOWN_MAX = 4
"""Of one example; each takes two lines."""
_ANSWER_CHARACTERS_MAX = 300
_RIGHT_TOKEN = "***"  # noqa: S105 - how a report shows it


def render(report: Report, console: Console, *, shows_all: bool = False) -> None:
    """
    Prints the report, the verdict last.

    `shows_all` prints every violation of the report and every case, instead of one violation of each rule.
    """
    for part in _parts(report, shows_all=shows_all):
        # The terminal wraps these lines: inserted line breaks would break a pasted command.
        console.print(Printable(part), soft_wrap=isinstance(part, Text))


def verdict(report: Report) -> str:
    """Returns the result in one line."""
    tried = f"{report.calls} calls in {report.seconds:.1f} s, seed {report.seed}"
    if report.violations_total:
        violations = "1 violation" if report.violations_total == 1 else f"{report.violations_total} violations"
        return f"NOT CONFORMING: {violations}. {tried}."
    if not report.complete:
        left = ", ".join(report.not_tried) or "the final comparison"
        return f"INCOMPLETE: no violation, but there was no time for: {left}. {tried}; try a longer --duration."
    return f"CONFORMING: no violation. {tried}."


def _parts(report: Report, *, shows_all: bool) -> Iterator[RenderableType]:
    if report.broken_rules:
        yield _broken_rules(report.broken_rules)
    if report.broken_rules and not shows_all:
        yield from _examples(report)
    yield _cases(report, shows_all=shows_all or not report.violations_total)
    yield _latencies(report)
    yield _ledger(report)
    if report.unsettled:
        yield _unsettled(report.unsettled)
    if shows_all:
        yield from _violations(report)
    style = "bold red" if report.violations_total else "bold green" if report.complete else "bold yellow"
    yield Text(verdict(report), style)


def _table(title: str, left: str, *right: str) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold")
    table.add_column(left, overflow="fold")
    for name in right:
        table.add_column(name, justify="right")
    return table


def _broken_rules(rules: tuple[BrokenRule, ...]) -> Table:
    table = _table("Broken rules", "rule", "violations")
    table.add_column("in", overflow="fold")
    for rule in rules:
        commands = ", ".join(f"{command} {count}" for command, count in rule.commands.items())
        table.add_row(rule.rule, str(rule.violations), commands, style="red")
    return table


def _examples(report: Report) -> Iterator[Text]:
    """Yields one violation of each rule: the expected answer, the requests in a form to send again, and the answers."""
    firsts = {violation.rule: violation for violation in reversed(report.violations)}
    headers = """-H 'Content-Type: application/json' -H "Callback-Token: $TOKEN\""""
    yield Text(f"\nOne example of each; send a body again by: curl {headers} {shlex.quote(report.url)} --data-raw ...")
    for rule in report.broken_rules:
        yield from _example(rule, firsts[rule.rule])
    yield Text(f"\n--all shows {len(report.violations)} of {report.violations_total} violations; --json as well.\n")


def _example(rule: BrokenRule, violation: Violation) -> Iterator[Text]:
    yield Text(f"\n{rule.rule} ({rule.violations}), here in: {violation.case}", "bold red")
    yield Text(violation.sentence)
    # Keep the last exchange: it shows the balance.
    shown = violation.exchanges
    if len(shown) > _EXCHANGES_SHOWN_MAX:
        shown = (*shown[: _EXCHANGES_SHOWN_MAX - 1], shown[-1])
        yield Text(f"{len(shown)} of {len(violation.exchanges)} calls, which were made at once:")
    for exchange in shown:
        yield Text(f"  --data-raw {shlex.quote(exchange.request.body)}{_unlike(exchange.request)}")
        yield Text(f"    {_in_short(exchange)}")


def _unlike(request: ShownRequest) -> str:
    """Returns a shell comment that names the token to send if it is not the right one."""
    token = request.headers.get("Callback-Token")
    return "" if token == _RIGHT_TOKEN else f"  # with Callback-Token: {token}" if token else "  # no Callback-Token"


def _in_short(exchange: ShownExchange) -> str:
    answer = exchange.answer
    status = f"HTTP {answer.http_status}" if answer.failure is None else answer.failure
    body = " ".join(answer.body.split())
    more = "..." if len(body) > _ANSWER_CHARACTERS_MAX else ""
    return f"{status}, {answer.milliseconds:.1f} ms: {body[:_ANSWER_CHARACTERS_MAX]}{more}"


def _violations(report: Report) -> Iterator[RenderableType]:
    for number, violation in enumerate(report.violations, 1):
        yield _violation(number, violation)
    if report.violations_total > len(report.violations):
        yield Text(f"{len(report.violations)} of {report.violations_total} violations shown: the first of each kind.")


def _cases(report: Report, *, shows_all: bool) -> Table:
    table = _table(f"What was tried at {report.url}", "case", "calls", "decided", "unknown", "violations")
    shown = [case for case in report.cases if shows_all or case.violations]
    if len(shown) < len(report.cases):
        table.caption = f"{len(report.cases) - len(shown)} more cases without a violation"
    for case in shown:
        numbers = map(str, (case.tried, case.decided, case.unknown, case.violations))
        table.add_row(Text(case.case), *numbers, style="red" if case.violations else None)
    for name in report.not_tried:
        table.add_row(Text(f"{name}: not tried, the time was up"), style="yellow")
    return table


def _latencies(report: Report) -> Table:
    table = _table("Latency in ms", "command", "limit", "answers", "p50", "p90", "p99", "max", "over the limit")
    for one in report.latencies:
        numbers = (one.p50_ms, one.p90_ms, one.p99_ms, one.max_ms)
        table.add_row(
            one.command,
            f"{one.limit_ms:g}",
            str(one.count),
            *(f"{number:.1f}" for number in numbers),
            str(one.over_limit),
            style="red" if one.over_limit else None,
        )
    return table


def _ledger(report: Report) -> Table:
    table = _table("Ledgers at the end", "account", "started with", "expected", "balance", "difference", "agrees")
    for line in report.ledger:
        table.add_row(Text(line.account), *_amounts(line), style="red" if line.agrees is False else None)
    statuses = f"{report.statuses_asked} of {len(report.transactions)}"
    table.caption = f"`status` of {statuses} transactions asked and answered"
    return table


def _amounts(line: AccountLine) -> Iterator[str]:
    yield str(line.started_with)
    yield str(line.expected)
    yield "not told" if line.balance is None else str(line.balance)
    yield "" if line.difference is None else str(line.difference)
    yield {True: "yes", False: "NO", None: "?"}[line.agrees]


def _unsettled(lines: tuple[TransactionLine, ...]) -> Table:
    table = _table(
        "Unsettled: nobody answered, so they may be made or not", "transaction", "amount", "provider believes", "status"
    )
    for line in lines[:_UNSETTLED_SHOWN_MAX]:
        transaction = Text(f"{line.kind} {line.trans_id} of {line.account}")
        table.add_row(transaction, str(line.amount), line.belief, line.wallet_says or "?")
    if len(lines) > _UNSETTLED_SHOWN_MAX:
        table.caption = f"{_UNSETTLED_SHOWN_MAX} of {len(lines)} shown"
    return table


def _violation(number: int, violation: Violation) -> Panel:
    pairs = Table(box=None, expand=True)
    pairs.add_column("request", ratio=1, overflow="fold")
    pairs.add_column("answer", ratio=1, overflow="fold")
    for exchange in violation.exchanges:
        pairs.add_row(_request(exchange), _answer(exchange))
    title = Text(f"{number}. {violation.rule}: {violation.case}")
    return Panel(Group(Text(violation.sentence), Text(), pairs), title=title, title_align="left", border_style="red")


def _request(exchange: ShownExchange) -> Text:
    request = exchange.request
    headers = "".join(f"{name}: {value}\n" for name, value in request.headers.items() if name == "Callback-Token")
    return Text(f"{request.method}\n{headers or 'no Callback-Token\n'}{request.body}")


def _answer(exchange: ShownExchange) -> Text:
    answer = exchange.answer
    status = f"HTTP {answer.http_status}" if answer.failure is None else answer.failure
    return Text(f"{status}, {answer.milliseconds:.1f} ms\n\n{answer.body}")
