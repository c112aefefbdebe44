"""What the provider does with what it hears, and with what it does not."""

from collections.abc import Sequence
from pathlib import Path

import pytest
from tests.money.faults.beliefs import Answer, Belief
from tests.money.faults.provider import Conduct, Provider

UNKNOWN = Answer(failure="500")
LATE = Answer(failure="late")
MADE = Answer(0)


class Scripted(Provider):
    """Hears what stands in a list, instead of asking anyone."""

    def __init__(self, folder: Path, answers: Sequence[Answer]) -> None:
        super().__init__(Conduct(url="", seed=1, scale=1e6), folder / "provider.log")
        self.answers = list(answers)
        self.asked: list[str] = []

    async def _answer(self, command: str, content: bytes) -> Answer:
        del content
        self.asked.append(command)
        return self.answers.pop(0)


@pytest.mark.parametrize(
    ("answers", "asked", "belief"),
    [
        ([MADE], ["bet"], Belief.APPLIED),
        ([Answer(31)], ["bet"], Belief.REFUSED),
        ([UNKNOWN, MADE], ["bet", "cancel"], Belief.CANCELLED),
        ([LATE, Answer(42)], ["bet", "cancel"], Belief.CANCELLED),
        ([LATE, UNKNOWN, LATE, MADE], ["bet", "cancel", "cancel", "cancel"], Belief.CANCELLED),
        ([UNKNOWN, Answer(99)], ["bet", "cancel"], Belief.CANCEL_REFUSED),
        ([UNKNOWN] * 5, ["bet", *["cancel"] * 4], Belief.CANCEL_GIVEN_UP),
    ],
)
async def test_a_bet(tmp_path: Path, answers: list[Answer], asked: list[str], belief: Belief) -> None:
    async with Scripted(tmp_path, answers) as provider:
        bet = provider.new("bet", "test1234", 100)
        await provider.bet(bet)

    assert provider.asked == asked
    assert bet.belief is belief
    assert (bet.cancelled_at is not None) is (belief is Belief.CANCELLED)


@pytest.mark.parametrize(
    ("answers", "belief"),
    [
        ([MADE], Belief.APPLIED),
        ([LATE, Answer(41)], Belief.APPLIED),
        ([UNKNOWN, LATE, UNKNOWN, MADE], Belief.APPLIED),
        ([UNKNOWN, Answer(22)], Belief.REFUSED),
        ([UNKNOWN] * 4, Belief.GIVEN_UP),
    ],
)
async def test_a_win(tmp_path: Path, answers: list[Answer], belief: Belief) -> None:
    async with Scripted(tmp_path, answers) as provider:
        win = provider.new("win", "test1234", 100)
        await provider.win(win)

    assert provider.asked == ["win"] * len(answers)
    assert win.belief is belief


async def test_answers_that_no_gateway_may_give_are_noted(tmp_path: Path) -> None:
    answers = [
        Answer(41),
        Answer(42),
        MADE,
        MADE,
        MADE,
        Answer(0, "CANCELED"),
        Answer(failure="wrong", wrong="HTTP 502"),
    ]
    async with Scripted(tmp_path, answers) as provider:
        twice = provider.new("bet", "test1234", 100)
        await provider.bet(twice)
        await provider.cancel(twice)
        bet = provider.new("bet", "test1234", 100)
        await provider.bet(bet)
        await provider.again(bet)
        await provider.again(bet)
        await provider.status(bet)
        await provider.status(bet)

    assert twice.was_made_before
    assert [problem.partition(":")[0] for problem in provider.wrong] == [
        f"cancel {twice.key}",
        bet.key,
        bet.key,
        bet.key,
        f"status {bet.key}",
    ]


async def test_what_was_sent_and_heard_is_written_down(tmp_path: Path) -> None:
    async with Scripted(tmp_path, [UNKNOWN, MADE]) as provider:
        await provider.bet(provider.new("bet", "test1234", 100))

    assert provider.calls == {"bet": 1, "cancel": 1}
    assert provider.failures == {"500": 1}
    assert (tmp_path / "provider.log").read_text().count("\n") == 4
