"""What may be answered without asking the wallet, and what may not: above all around a cancel."""

import asyncio
import gc
import mmap
import sys
from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.callbacks import body, make_callback
from tests.support.clock import FakeClock

from walletbridge.observe.trace import CacheUse
from walletbridge.protocol.callbacks import Bet, Cancel, Status, decode
from walletbridge.protocol.errors import OutcomeUnknown
from walletbridge.protocol.outcomes import Outcome, Result, TransactionState
from walletbridge.transactions.cancel_counter import Changes, buffer_bytes
from walletbridge.transactions.status_cache import StatusCache

OK = Outcome(Result.OK, 400000, TransactionState.OK)
CANCELED = Outcome(Result.OK, 400000, TransactionState.CANCELED)
NOT_FOUND = Outcome(Result.TRANSACTION_NOT_FOUND, 400000)
OK_SECONDS, CANCELED_SECONDS = 5.0, 3600.0
DEADLINE = FakeClock()() + 1000
"""Later than any test takes."""


def status(**overrides: Any) -> Status:
    callback = decode(body(make_callback("status", **overrides)), currency_decimals=2)
    assert isinstance(callback, Status)
    return callback


def cancel(**overrides: Any) -> Cancel:
    callback = decode(body(make_callback("cancel", **overrides)), currency_decimals=2)
    assert isinstance(callback, Cancel)
    return callback


def bet(**overrides: Any) -> Bet:
    callback = decode(body(make_callback("bet", **overrides)), currency_decimals=2)
    assert isinstance(callback, Bet)
    return callback


class Loads:
    """The wallet's side: each load answers the next outcome, the last one again and again."""

    def __init__(self, *outcomes: Outcome | Exception) -> None:
        self._outcomes = list(outcomes)
        self.count = 0

    async def __call__(self) -> Outcome:
        self.count += 1
        outcome = self._outcomes.pop(0) if len(self._outcomes) > 1 else self._outcomes[0]
        if isinstance(outcome, Exception):
            raise outcome
        return outcome


class Slow:
    """A load that answers when the test says so."""

    def __init__(self) -> None:
        self.count = 0
        self.answer: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()

    async def __call__(self) -> Outcome:
        self.count += 1
        return await asyncio.shield(self.answer)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


def make_cache(clock: Callable[[], float], *, size: int = 100, changes: Changes | None = None) -> StatusCache:
    return StatusCache(
        size=size, ok_seconds=OK_SECONDS, canceled_seconds=CANCELED_SECONDS, clock=clock, changes=changes
    )


@pytest.fixture
def cache(clock: FakeClock) -> StatusCache:
    return make_cache(clock)


async def ask(cache: StatusCache, load: Callable[[], Awaitable[Outcome]], **overrides: Any) -> tuple[Outcome, CacheUse]:
    return await cache.ask(status(**overrides), load, deadline=DEADLINE)


async def settle() -> None:
    """Lets every task run as far as it can."""
    for _ in range(5):
        await asyncio.sleep(0)


# What is kept, and for how long


@pytest.mark.parametrize(
    ("outcome", "seconds"), [(OK, OK_SECONDS), (CANCELED, CANCELED_SECONDS)], ids=["ok", "canceled"]
)
async def test_a_final_state_is_known_for_its_time(
    cache: StatusCache, clock: FakeClock, outcome: Outcome, seconds: float
) -> None:
    loads = Loads(outcome)
    assert await ask(cache, loads) == (outcome, CacheUse.MISS)

    clock.tick(seconds - 0.001)
    hit, use = await ask(cache, loads)
    assert (hit.result, hit.state, use) == (Result.OK, outcome.state, CacheUse.HIT)
    assert loads.count == 1

    clock.tick(0.001)
    assert await ask(cache, loads) == (outcome, CacheUse.MISS)
    assert loads.count == 2


async def test_a_hit_does_not_make_a_fact_live_longer(cache: StatusCache, clock: FakeClock) -> None:
    loads = Loads(OK)
    for _ in range(10):
        await ask(cache, loads)
        clock.tick(OK_SECONDS / 5)

    assert loads.count == 2


@pytest.mark.parametrize(
    "outcome",
    [
        *(Outcome(result, 400000) for result in Result),
        # A state means nothing beside any other result.
        *(Outcome(result, 400000, state) for result in Result if result for state in TransactionState),
    ],
)
async def test_nothing_else_is_ever_kept(cache: StatusCache, outcome: Outcome) -> None:
    loads = Loads(outcome)
    for _ in range(2):
        assert await ask(cache, loads) == (outcome, CacheUse.MISS)

    assert loads.count == 2
    assert len(cache) == 0


@pytest.mark.parametrize("error", [OutcomeUnknown("away", sent=True), OutcomeUnknown("full", sent=False), OSError()])
async def test_an_error_is_raised_and_not_kept(cache: StatusCache, error: Exception) -> None:
    loads = Loads(error, OK)
    with pytest.raises(type(error)):
        await ask(cache, loads)

    assert await ask(cache, loads) == (OK, CacheUse.MISS)


@pytest.mark.parametrize(("state", "ok_seconds", "canceled_seconds"), [(OK, 0, 5), (CANCELED, 5, 0)])
async def test_zero_seconds_switch_a_state_off(
    clock: FakeClock, state: Outcome, ok_seconds: float, canceled_seconds: float
) -> None:
    cache = StatusCache(size=100, ok_seconds=ok_seconds, canceled_seconds=canceled_seconds, clock=clock)
    loads = Loads(state)
    for _ in range(2):
        assert await ask(cache, loads) == (state, CacheUse.MISS)

    assert len(cache) == 0


async def test_a_size_of_zero_keeps_nothing_and_still_shares(clock: FakeClock) -> None:
    cache = make_cache(clock, size=0)
    slow = Slow()
    asked = [asyncio.ensure_future(ask(cache, slow)) for _ in range(2)]
    await settle()
    slow.answer.set_result(OK)

    assert await asyncio.gather(*asked) == [(OK, CacheUse.MISS), (OK, CacheUse.JOINED)]
    assert slow.count == 1
    assert await ask(cache, Loads(CANCELED)) == (CANCELED, CacheUse.MISS)
    assert len(cache) == 0


async def test_the_size_is_a_bound_and_the_least_used_goes_first(clock: FakeClock) -> None:
    cache = make_cache(clock, size=3)
    loads = Loads(OK)
    for trans_id in (1, 2, 3, 1, 4):
        await ask(cache, loads, trans_id=trans_id)
        assert len(cache) <= 3
    assert loads.count == 4

    uses = [(await ask(cache, loads, trans_id=trans_id))[1] for trans_id in (1, 3, 4, 2)]
    assert uses == [CacheUse.HIT, CacheUse.HIT, CacheUse.HIT, CacheUse.MISS]


async def test_clear_forgets_everything(cache: StatusCache) -> None:
    loads = Loads(OK)
    await ask(cache, loads)
    cache.clear()

    assert len(cache) == 0
    assert await ask(cache, loads) == (OK, CacheUse.MISS)


# Which questions


@pytest.mark.parametrize("check", ["21,42", "42,21", "42", "21"])
async def test_a_fact_answers_whatever_is_asked_of_21_and_42(cache: StatusCache, check: str) -> None:
    loads = Loads(OK)
    await ask(cache, loads)

    assert (await ask(cache, loads, check=check))[1] is CacheUse.HIT


@pytest.mark.parametrize("check", ["22", "21,22,42", "31", "41", "99"])
async def test_a_question_with_another_check_goes_to_the_wallet_each_time(cache: StatusCache, check: str) -> None:
    """Whether the player is active, only the wallet knows."""
    loads = Loads(OK)
    await ask(cache, loads)

    for _ in range(2):
        assert await ask(cache, loads, check=check) == (OK, CacheUse.BYPASSED)
    assert loads.count == 3


async def test_what_bypasses_is_not_kept(cache: StatusCache) -> None:
    await ask(cache, Loads(OK), check="21,22,42")

    assert len(cache) == 0


@pytest.mark.parametrize(("first", "second"), [(1, "1"), ("1", 1)])
async def test_a_transaction_is_one_as_integer_and_as_text(
    cache: StatusCache, first: int | str, second: int | str
) -> None:
    loads = Loads(OK)
    await ask(cache, loads, trans_id=first)
    assert (await ask(cache, loads, trans_id=second))[1] is CacheUse.HIT

    with cache.canceling(cancel(trans_id=first)):
        pass
    assert (await ask(cache, loads, trans_id=second))[1] is CacheUse.MISS


@pytest.mark.parametrize("other", [{"account": "alice"}, {"trans_id": 2}, {"trans_id": "01"}, {"trans_id": "1 "}])
async def test_another_account_or_transaction_is_another_question(cache: StatusCache, other: dict[str, Any]) -> None:
    await ask(cache, Loads(OK), trans_id=1)

    assert await ask(cache, Loads(NOT_FOUND), **{"trans_id": 1, **other}) == (NOT_FOUND, CacheUse.MISS)


# Equal questions at once


async def test_a_thousand_equal_questions_make_one_wallet_call(cache: StatusCache) -> None:
    slow = Slow()
    asked = [asyncio.ensure_future(ask(cache, slow)) for _ in range(1000)]
    await settle()
    slow.answer.set_result(OK)
    answers = await asyncio.gather(*asked)

    assert slow.count == 1
    assert {outcome for outcome, _ in answers} == {OK}
    assert cache.uses == {CacheUse.HIT: 0, CacheUse.MISS: 1, CacheUse.JOINED: 999, CacheUse.BYPASSED: 0}


async def test_an_unknown_outcome_is_shared_and_the_next_question_asks_again(cache: StatusCache) -> None:
    slow = Slow()
    asked = [asyncio.ensure_future(ask(cache, slow)) for _ in range(3)]
    await settle()
    slow.answer.set_exception(OutcomeUnknown("away", sent=True))
    answers = await asyncio.gather(*asked, return_exceptions=True)

    assert [str(answer) for answer in answers] == ["away"] * 3
    assert await ask(cache, Loads(OK)) == (OK, CacheUse.MISS)


async def test_questions_with_other_checks_do_not_share(cache: StatusCache) -> None:
    """The first check that fails is the answer, so their order matters."""
    slow = Slow()
    asked = [asyncio.ensure_future(ask(cache, slow, check=check)) for check in ("21,42", "42,21", "42")]
    await settle()
    slow.answer.set_result(NOT_FOUND)
    await asyncio.gather(*asked)

    assert slow.count == 3


async def test_who_gives_up_does_not_end_the_call_for_the_others(cache: StatusCache) -> None:
    slow = Slow()
    first, second = (asyncio.ensure_future(ask(cache, slow)) for _ in range(2))
    await settle()
    first.cancel()
    await settle()
    slow.answer.set_result(OK)

    assert await second == (OK, CacheUse.JOINED)
    assert slow.count == 1


async def test_who_joined_waits_no_longer_than_its_own_deadline(cache: StatusCache, clock: FakeClock) -> None:
    slow = Slow()
    first = asyncio.ensure_future(ask(cache, slow))
    await settle()

    with pytest.raises(OutcomeUnknown, match="the budget passed while an equal question was at the wallet"):
        await cache.ask(status(), slow, deadline=clock() + 0.01)
    slow.answer.set_result(OK)
    assert await first == (OK, CacheUse.MISS)


async def test_who_made_the_call_is_told_why_it_failed(cache: StatusCache, clock: FakeClock) -> None:
    """A wallet call ends at its deadline by itself, a little late; its own reason is the one to hear."""

    async def late() -> Outcome:
        await asyncio.sleep(0.03)
        raise OutcomeUnknown("the wallet did not answer within the budget", sent=True)

    with pytest.raises(OutcomeUnknown, match="the wallet did not answer within the budget"):
        await cache.ask(status(), late, deadline=clock() + 0.01)


async def test_an_error_that_nobody_waited_for_is_no_fault(cache: StatusCache) -> None:
    complaints: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context))
    slow = Slow()
    asked = asyncio.ensure_future(ask(cache, slow))
    await settle()
    asked.cancel()
    await settle()
    slow.answer.set_exception(OutcomeUnknown("away", sent=True))
    await settle()
    del asked
    gc.collect()

    assert complaints == []


# Around a cancel


async def test_a_cancel_between_two_questions_is_seen_by_the_second(cache: StatusCache) -> None:
    loads = Loads(OK, CANCELED)
    assert await ask(cache, loads) == (OK, CacheUse.MISS)

    with cache.canceling(cancel()):
        pass
    assert await ask(cache, loads) == (CANCELED, CacheUse.MISS)
    assert (await ask(cache, loads))[0].state is TransactionState.CANCELED
    assert loads.count == 2


async def test_a_cancel_that_fails_drops_the_fact_all_the_same(cache: StatusCache) -> None:
    def fail() -> None:
        with cache.canceling(cancel()):
            assert len(cache) == 0
            raise OutcomeUnknown("nobody knows", sent=True)

    await ask(cache, Loads(OK))
    with pytest.raises(OutcomeUnknown):
        fail()

    assert await ask(cache, Loads(CANCELED)) == (CANCELED, CacheUse.MISS)


async def test_questions_during_a_cancel_each_go_to_the_wallet(cache: StatusCache) -> None:
    loads = Loads(OK)
    await ask(cache, loads)
    with cache.canceling(cancel()):
        for _ in range(2):
            assert (await ask(cache, loads))[1] is CacheUse.MISS

    assert loads.count == 3
    assert len(cache) == 0


async def test_a_movement_is_no_different_from_a_cancel(cache: StatusCache) -> None:
    """Who asks after a bet was made must not hear the answer of a call that began before."""
    slow = Slow()
    first = asyncio.ensure_future(ask(cache, slow))
    await settle()
    with cache.canceling(bet()):
        pass
    second = asyncio.ensure_future(ask(cache, Loads(OK)))
    await settle()
    slow.answer.set_result(NOT_FOUND)

    assert await second == (OK, CacheUse.MISS)
    assert await first == (NOT_FOUND, CacheUse.MISS)


async def test_a_cancel_of_another_transaction_costs_nothing(cache: StatusCache) -> None:
    loads = Loads(OK)
    await ask(cache, loads)
    with cache.canceling(cancel(account="alice")), cache.canceling(cancel(trans_id=2)):
        assert (await ask(cache, loads))[1] is CacheUse.HIT


ORDERS = sorted(
    order
    for order in permutations(["load begins", "load ends", "cancel begins", "cancel ends"])
    if order.index("load begins") < order.index("load ends")
    and order.index("cancel begins") < order.index("cancel ends")
)


@pytest.mark.parametrize("order", ORDERS, ids=", ".join)
async def test_a_slow_load_never_brings_back_what_a_cancel_has_ended(
    cache: StatusCache, order: tuple[str, ...]
) -> None:
    """The load's answer is as old as can be: only one that began after the cancel's end is kept or shared."""
    slow = Slow()
    loading: list[asyncio.Future[tuple[Outcome, CacheUse]]] = []
    canceling: AbstractContextManager[None] = cache.canceling(cancel())
    steps: dict[str, Callable[[], object]] = {
        "load begins": lambda: loading.append(asyncio.ensure_future(ask(cache, slow))),
        "load ends": lambda: slow.answer.set_result(OK),
        "cancel begins": canceling.__enter__,
        "cancel ends": lambda: canceling.__exit__(None, None, None),
    }
    begun_after = order.index("load begins") > order.index("cancel ends")
    for step in order:
        steps[step]()
        await settle()
        if step == "cancel ends" and loading and not slow.answer.done():
            # A question that comes now must not hear the answer of a load that began before.
            assert await ask(cache, Loads(CANCELED), check="42,21") == (CANCELED, CacheUse.MISS)
            cache.clear()
            assert await ask(cache, Loads(CANCELED)) == (CANCELED, CacheUse.MISS)
            cache.clear()

    assert (await loading[0])[0] == OK
    assert (await ask(cache, Loads(CANCELED)))[1] is (CacheUse.HIT if begun_after else CacheUse.MISS)


async def test_a_load_that_outlives_two_cancels_is_not_kept(cache: StatusCache) -> None:
    slow = Slow()
    asked = asyncio.ensure_future(ask(cache, slow))
    await settle()
    for _ in range(2):
        with cache.canceling(cancel()):
            pass
    slow.answer.set_result(OK)
    await asked

    assert len(cache) == 0


# Several workers


async def test_a_cancel_in_one_worker_is_seen_by_the_other_at_once(clock: FakeClock) -> None:
    buffer = bytearray(buffer_bytes(2))
    one, other = (make_cache(clock, changes=Changes(buffer, worker=worker, workers=2)) for worker in range(2))
    for cache in (one, other):
        assert await ask(cache, Loads(OK)) == (OK, CacheUse.MISS)
        assert (await ask(cache, Loads(OK)))[1] is CacheUse.HIT

    with one.canceling(cancel()):
        assert await ask(other, Loads(OK)) == (OK, CacheUse.MISS)
    assert await ask(other, Loads(CANCELED)) == (CANCELED, CacheUse.MISS)


async def test_a_cancel_in_one_worker_overtakes_a_load_in_the_other(clock: FakeClock) -> None:
    buffer = bytearray(buffer_bytes(2))
    one, other = (make_cache(clock, changes=Changes(buffer, worker=worker, workers=2)) for worker in range(2))
    slow = Slow()
    asked = asyncio.ensure_future(ask(other, slow))
    await settle()
    with one.canceling(cancel()):
        pass
    slow.answer.set_result(OK)
    await asked

    assert await ask(other, Loads(CANCELED)) == (CANCELED, CacheUse.MISS)


OTHER_WORKER = """
import mmap, sys
from walletbridge.transactions.cancel_counter import Changes, buffer_bytes
with open(sys.argv[1], "r+b") as file:
    shared = mmap.mmap(file.fileno(), buffer_bytes(2))
changes = Changes(memoryview(shared), worker=1, workers=2)
print("ready", flush=True)
for line in sys.stdin:
    word, account, trans_id = line.split()
    {"begin": changes.begin, "end": changes.end}[word]((account, trans_id))
    print("done", flush=True)
"""


async def test_a_cancel_in_another_process_is_seen_at_once(clock: FakeClock, tmp_path: Path) -> None:
    path = tmp_path / "changes"
    path.write_bytes(bytes(buffer_bytes(2)))
    with path.open("r+b") as file:
        shared = mmap.mmap(file.fileno(), buffer_bytes(2))
    cache = make_cache(clock, changes=Changes(memoryview(shared), worker=0, workers=2))
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", OTHER_WORKER, path, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdin
    assert process.stdout
    stdin, stdout = process.stdin, process.stdout

    async def other(word: str) -> None:
        question = status()
        stdin.write(f"{word} {question.account} {question.trans_key}\n".encode())
        assert await stdout.readline() == b"done\n"

    assert await stdout.readline() == b"ready\n"
    await ask(cache, Loads(OK))
    assert (await ask(cache, Loads(OK)))[1] is CacheUse.HIT

    await other("begin")
    assert await ask(cache, Loads(OK)) == (OK, CacheUse.MISS)
    await other("end")
    assert await ask(cache, Loads(CANCELED)) == (CANCELED, CacheUse.MISS)
    assert (await ask(cache, Loads(OK)))[1] is CacheUse.HIT

    stdin.close()
    assert await process.wait() == 0


# Whatever the order

ORDER = [NOT_FOUND, OK, CANCELED]
"""A transaction goes one way."""


@dataclass
class Question:
    """One that was asked, and the truth when it was."""

    truth: Outcome
    task: asyncio.Future[tuple[Outcome, CacheUse]]


@dataclass
class Model:
    """A wallet with one transaction, which moves on when the test says so, and two workers in front of it."""

    truth: Outcome
    clock: FakeClock = field(default_factory=FakeClock)
    unread: list[asyncio.Future[Outcome]] = field(default_factory=list)
    """Questions that the wallet has not looked at yet."""
    read: list[tuple[asyncio.Future[Outcome], Outcome]] = field(default_factory=list)
    """Questions that it has looked at, with answers that are still on their way."""
    under_way: list[tuple[Bet | Cancel, AbstractContextManager[None]]] = field(default_factory=list)
    questions: list[Question] = field(default_factory=list)

    def __post_init__(self) -> None:
        buffer = bytearray(buffer_bytes(2))
        self.workers = [
            make_cache(self.clock, changes=Changes(buffer, worker=worker, workers=2)) for worker in range(2)
        ]

    def ask(self, worker: int) -> None:
        async def load() -> Outcome:
            call: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
            self.unread.append(call)
            return await call

        task = asyncio.ensure_future(ask(self.workers[worker], load))
        self.questions.append(Question(self.truth, task))

    def look(self, number: int) -> None:
        if self.unread:
            self.read.append((self.unread.pop(number % len(self.unread)), self.truth))

    def answer(self, number: int) -> None:
        if self.read:
            call, outcome = self.read.pop(number % len(self.read))
            call.set_result(outcome)

    def begin_bet(self, worker: int) -> None:
        self._begin(bet(), worker)

    def begin_cancel(self, worker: int) -> None:
        self._begin(cancel(), worker)

    def _begin(self, callback: Bet | Cancel, worker: int) -> None:
        self.under_way.append((callback, self.workers[worker].canceling(callback)))
        self.under_way[-1][1].__enter__()

    def make(self, number: int) -> None:
        """The wallet makes one of the movements that are under way, if it may."""
        if self.under_way:
            callback, _ = self.under_way[number % len(self.under_way)]
            before, after = (NOT_FOUND, OK) if isinstance(callback, Bet) else (OK, CANCELED)
            self.truth = after if self.truth == before else self.truth

    def end(self, number: int) -> None:
        if self.under_way:
            self.under_way.pop(number % len(self.under_way))[1].__exit__(None, None, None)

    def wait(self, number: int) -> None:
        self.clock.tick(1 + 4 * number)

    async def whole_question(self, worker: int) -> None:
        self.ask(worker)
        await settle()
        self.look(-1)
        self.answer(-1)

    async def whole_cancel(self, worker: int) -> None:
        self.begin_cancel(worker)
        await settle()
        self.make(-1)
        self.end(-1)

    def finish(self) -> None:
        while self.unread or self.read:
            self.look(0)
            self.answer(0)


type Step = Callable[[Model, int], Awaitable[None] | None]

STEPS: list[Step] = [
    Model.ask,
    Model.look,
    Model.answer,
    Model.begin_bet,
    Model.begin_cancel,
    Model.make,
    Model.end,
    Model.wait,
    Model.whole_question,
    Model.whole_cancel,
]


@settings(max_examples=1000, deadline=None)
@given(
    st.sampled_from([NOT_FOUND, OK]),
    st.lists(st.tuples(st.sampled_from(STEPS), st.integers(0, 1)), min_size=4, max_size=16),
)
def test_an_answer_from_the_cache_was_true_when_it_was_asked_for(truth: Outcome, steps: list[tuple[Step, int]]) -> None:
    async def play() -> None:
        model = Model(truth)
        for step, number in steps:
            if (waiting := step(model, number)) is not None:
                await waiting
            await settle()
        model.finish()
        for question in model.questions:
            outcome, use = await question.task
            if use is CacheUse.HIT:
                assert outcome.state is question.truth.state
            else:
                # Not even a shared call tells of a time before the question.
                assert ORDER.index(outcome) >= ORDER.index(question.truth)

    asyncio.run(play())


async def test_people_can_look_at_what_is_known() -> None:
    clock = FakeClock()
    cache = StatusCache(size=10, ok_seconds=5, canceled_seconds=50, clock=clock)
    for account, trans_id, state in (("a", 1, TransactionState.OK), ("b", 1, TransactionState.CANCELED)):
        question = Status(account=account, checks=(21, 42), requested_at=None, trans_id=trans_id)
        outcome = Outcome(Result.OK, state=state)

        async def load(found: Outcome = outcome) -> Outcome:
            return found

        await cache.ask(question, load, deadline=clock() + 1)

    assert cache.known(trans_key="1") == [("a", "1", "OK"), ("b", "1", "CANCELED")]
    assert cache.known(account="b") == [("b", "1", "CANCELED")]
    assert cache.known(account="c") == []
    clock.tick(6)
    assert cache.known() == [("b", "1", "CANCELED")]
