"""What each example wallet promises, and what it does not: the rest of the tests stands on it."""

from collections.abc import Callable, Iterator
from typing import Any

import grpc
import pytest
from google.rpc.error_details_pb2 import ErrorInfo
from google.rpc.status_pb2 import Status
from tests.examples.books import Books
from tests.examples.catalog import WALLETS
from tests.examples.protos import EXAMPLES, load_proto
from tests.examples.service import ExampleWallet, Refused

from walletbridge.wallet.v1 import wallet_service_pb2 as v1

HEADER = {"operator": "walletbridge", "version": 3}


class Bench:
    """A wallet in memory whose one player, ann, has 10 units and whose other, ina, may not play."""

    def __init__(self, name: str) -> None:
        self.books = Books(":memory:")
        self.books.add_player("ann", 1000)
        self.books.add_player("ina", 1000, active=False)
        self.wallet: ExampleWallet = WALLETS[name](self.books)

    def call(self, method: str, **fields: Any) -> Any:
        request = self.wallet.proto.service.methods_by_name[method].input_type.name
        with self.books.step():
            try:
                return self.wallet.operations[method](self.wallet.proto.message(request, **fields))
            except Refused as refused:
                return refused

    @property
    def balance(self) -> int:
        return self.books.balances()["ann"][0]


type Open = Callable[[str], Bench]


def test_every_example_has_its_wallet() -> None:
    assert {path.parent.name for path in EXAMPLES.glob("*/wallet.proto")} == set(WALLETS)


@pytest.fixture
def open_bench() -> Iterator[Callable[[str], Bench]]:
    """Makes benches that are closed in the end."""
    benches: list[Bench] = []

    def make(name: str) -> Bench:
        benches.append(Bench(name))
        return benches[-1]

    yield make
    for bench in benches:
        bench.books.close()


@pytest.mark.parametrize("name", WALLETS)
def test_every_unary_method_is_served(name: str, open_bench: Open) -> None:
    bench = open_bench(name)
    served = {method.name for method in load_proto(name).service.methods if not method.server_streaming}

    assert set(bench.wallet.operations) == served
    assert set(bench.wallet.operations) >= bench.wallet.reads


# status-enum


def test_status_enum_reports_repeats_and_remembers_rollbacks(open_bench: Open) -> None:
    bench = open_bench("status-enum")
    stake = {"player": "ann", "operation_id": "1", "amount": "4.00"}

    assert (bench.call("Withdraw", **stake).status, bench.balance) == (1, 600)
    assert (bench.call("Withdraw", **{**stake, "amount": "9.00"}).status, bench.balance) == (30, 600)
    assert [bench.call("Rollback", player="ann", operation_id="1").balance for _ in range(2)] == ["10.00", "10.00"]
    assert bench.call("QueryOperation", player="ann", operation_id="1").state == 2
    assert bench.call("Rollback", player="ann", operation_id="2").status == 31
    assert (bench.call("Deposit", player="ann", operation_id="2", amount="1.00").status, bench.balance) == (40, 1000)
    assert bench.call("Withdraw", **{**stake, "operation_id": "3", "amount": "10.01"}).status == 20
    assert bench.call("Withdraw", **{**stake, "player": "ina"}).status == 11
    assert bench.call("Withdraw", **{**stake, "player": "eve"}).status == 10


# error-info


def reason(refused: Any) -> str:
    """What the details of a gRPC status say."""
    ((name, packed),) = refused.trailers
    assert name == "grpc-status-details-bin"
    status, info = Status.FromString(packed), ErrorInfo()
    assert status.code == refused.code.value[0]
    assert status.details[0].Unpack(info)
    assert info.domain == "ledger.acme.example"
    return str(info.reason)


def test_error_info_says_no_in_details_and_keeps_voided_ids(open_bench: Open) -> None:
    bench = open_bench("error-info")
    stake = {"player": "players/ann", "transaction_id": "1", "amount": {"units": 4}}

    made = bench.call("CreateDebit", **stake)
    assert (made.state, made.balance.units, bench.balance) == (1, 6, 600)
    again = bench.call("CreateDebit", **stake)
    assert (again.code, reason(again), bench.balance) == (grpc.StatusCode.ALREADY_EXISTS, "TRANSACTION_EXISTS", 600)
    assert reason(bench.call("ReverseTransaction", player="players/ann", transaction_id="2")) == "TRANSACTION_NOT_FOUND"
    late = {**stake, "transaction_id": "2"}
    assert reason(bench.call("CreateCredit", **late)) == "TRANSACTION_VOIDED"
    assert reason(bench.call("CreateDebit", **{**stake, "player": "players/ina"})) == "PLAYER_SUSPENDED"
    assert reason(bench.call("GetPlayer", name="ann")) == "PLAYER_NOT_FOUND"
    reversed_ = [bench.call("ReverseTransaction", player="players/ann", transaction_id="1") for _ in range(2)]
    assert [(one.state, one.balance.units) for one in reversed_] == [(2, 10), (2, 10)]


def test_error_info_writes_units_and_nanos_with_one_sign(open_bench: Open) -> None:
    bench = open_bench("error-info")
    bench.books.add_player("ann", -905)
    balance = bench.call("GetPlayer", name="players/ann").balance

    assert (balance.units, balance.nanos, balance.currency_code) == (-9, -50_000_000, "EUR")


# process-oneof


def test_process_oneof_repeats_its_first_reply(open_bench: Open) -> None:
    bench = open_bench("process-oneof")
    assert not bench.call("FindPlayer", login="eve").HasField("card")
    number = bench.call("FindPlayer", login="ann").card.player_id
    stake: dict[str, Any] = {"player_id": number, "ref": "1", "bet": {"cents": 400}}

    assert bench.call("Process", **stake).done.balance == 600
    assert bench.call("Process", player_id=number, ref="2", win={"cents": 50}).done.balance == 650
    assert (bench.call("Process", **stake).done.balance, bench.balance) == (600, 650)
    assert bench.call("Process", player_id=number, ref="1", undo={}).done.balance == 1050
    assert bench.call("Process", player_id=number, ref="1", trace={}).found.undone
    assert bench.call("Process", player_id=number, ref="3", undo={}).denied.reason == 4
    assert bench.call("Process", **{**stake, "ref": "3"}).denied.reason == 5
    assert bench.call("Process", **{**stake, "ref": "4", "bet": {"cents": 1051}}).denied.reason == 3
    assert bench.call("Process", player_id=1, balance={}).denied.reason == 1
    assert bench.call("Process", player_id=number).denied.reason == 0


def test_process_oneof_does_not_take_back_a_win_that_is_spent(open_bench: Open) -> None:
    bench = open_bench("process-oneof")
    number = bench.call("FindPlayer", login="ann").card.player_id
    bench.call("Process", player_id=number, ref="1", win={"cents": 50})
    bench.call("Process", player_id=number, ref="2", bet={"cents": 1040})

    assert bench.call("Process", player_id=number, ref="1", undo={}).denied.reason == 3
    assert bench.balance == 10


# proto2-legacy


def test_proto2_legacy_looks_at_the_balance_first_and_forgets_cancels(open_bench: Open) -> None:
    bench = open_bench("proto2-legacy")
    stake: dict[str, Any] = {"header": HEADER, "login": "ann", "ticket": "1", "cents": 600}

    assert (bench.call("Take", **stake).rc, bench.balance) == (0, 400)
    assert bench.call("Take", **stake).rc == 3
    assert (bench.call("Take", **{**stake, "cents": 400}).rc, bench.balance) == (4, 400)
    assert bench.call("Undo", header=HEADER, login="ann", ticket="2").rc == 5
    assert (bench.call("Give", **{**stake, "ticket": "2", "cents": 5}).rc, bench.balance) == (0, 405)
    assert [bench.call("Undo", header=HEADER, login="ann", ticket="1").balance for _ in range(2)] == [1005, 1005]


# debit-credit


def test_debit_credit_repeats_its_first_response_by_key(open_bench: Open) -> None:
    bench = open_bench("debit-credit")
    stake = {"user_id": "ann", "amount": 4.1, "idempotency_key": "bet:1"}

    assert (bench.call("Debit", **stake).balance, bench.balance) == (5.9, 590)
    bench.call("Credit", user_id="ann", amount=1, idempotency_key="win:2")
    assert (bench.call("Debit", **stake).balance, bench.balance) == (5.9, 690)
    assert bench.call("Debit", **{**stake, "idempotency_key": "bet:3", "amount": 6.91}).message == "insufficient funds"
    assert bench.call("Credit", user_id="ina", amount=1, idempotency_key="win:4").message == "user blocked"
    assert not bench.call("GetBalance", user_id="eve").success
    assert [(movement.trans_id, movement.kind) for movement in map(bench.wallet.movement, bench.books.entries())] == [
        ("1", "bet"),
        ("2", "win"),
    ]


def test_debit_credit_unprotected_moves_money_each_time(open_bench: Open) -> None:
    bench = open_bench("debit-credit-unprotected")
    stake = {"user": "ann", "amount": 4.0, "memo": "bet:1"}

    assert [bench.call("Debit", **stake).balance for _ in range(2)] == [6, 2]
    assert bench.call("Debit", **stake).message == "not enough money"


@pytest.mark.parametrize("name", WALLETS)
def test_the_fault_bench_learns_of_a_movement_what_came_of_it(name: str, open_bench: Open) -> None:
    """In the provider's words, whichever method it was."""
    bench = open_bench(name)
    wallet, (method, request) = bench.wallet, _stake(bench)

    assert (wallet.plays(method, request), wallet.asked(request)[1]) == ("bet", "1")
    assert wallet.outcome(request, None) == v1.OUTCOME_FAILED
    with wallet.books.step():
        wallet.operations[method](request)
    assert wallet.outcome(request, None) == v1.OUTCOME_OK


def _stake(bench: Bench) -> tuple[str, Any]:
    """A bet of 1 unit, of transaction 1."""
    fields: dict[str, tuple[str, dict[str, Any]]] = {
        "status-enum": ("Withdraw", {"player": "ann", "operation_id": "1", "amount": "1.00"}),
        "error-info": ("CreateDebit", {"player": "players/ann", "transaction_id": "1", "amount": {"units": 1}}),
        "process-oneof": ("Process", {"player_id": 2**32 + 1, "ref": "1", "bet": {"cents": 100}}),
        "proto2-legacy": ("Take", {"header": HEADER, "login": "ann", "ticket": "1", "cents": 100}),
        "debit-credit": ("Debit", {"user_id": "ann", "amount": 1, "idempotency_key": "bet:1"}),
        "debit-credit-unprotected": ("Debit", {"user": "ann", "amount": 1, "memo": "bet:1"}),
    }
    method, values = fields[bench.wallet.name]
    message = bench.wallet.proto.service.methods_by_name[method].input_type.name
    return method, bench.wallet.proto.message(message, **values)
