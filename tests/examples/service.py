"""
What all example wallets share: they answer each method of their proto out of the books, in their own words.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import grpc
from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.message import Message
from google.rpc.error_details_pb2 import ErrorInfo
from google.rpc.status_pb2 import Status
from tests.examples.books import Books, Entry
from tests.examples.protos import load_proto

from walletbridge.wallet.v1 import wallet_service_pb2 as v1

type Operation = Callable[[Any], Message]
"""Answers one method: its request goes in, its response comes out. Runs inside a step of the books."""


class Refused(Exception):
    """
    Raised by an operation, or a fault, to end the call with a gRPC status. What was done in the books stays done.
    """

    def __init__(self, code: grpc.StatusCode, details: str = "", *, reason: str = "", domain: str = "") -> None:
        """With `reason` and `domain` the status carries a google.rpc.ErrorInfo."""
        super().__init__(code, details)
        self.code = code
        self.details = details
        self.trailers: tuple[tuple[str, bytes], ...] = ()
        if reason:
            packed = AnyMessage()
            packed.Pack(ErrorInfo(reason=reason, domain=domain))
            status = Status(code=code.value[0], message=details, details=[packed])
            self.trailers = (("grpc-status-details-bin", status.SerializeToString()),)


@dataclass(frozen=True, slots=True)
class Movement:
    """An entry of the books as the provider would name it."""

    trans_id: str
    kind: str
    """`bet`, `win`, or `cancel` of either."""


class ExampleWallet:
    """A wallet over `books` that speaks the proto of the example called `name`."""

    name: ClassVar[str]
    keeps_transactions: ClassVar[bool] = False
    """Whether it can be given a past: what it has on record it reports, by the provider's own ids."""
    remembers_cancels: ClassVar[bool] = True
    has_cancel: ClassVar[bool] = True
    """False: the opposite movement makes one."""
    reads: ClassVar[frozenset[str]]
    """The methods that never move money."""
    movements: ClassVar[Mapping[str, str]] = {}
    """The methods that do nothing but `bet` or `win`."""

    def __init__(self, books: Books) -> None:
        self.books = books
        self.proto = load_proto(self.name)

    @property
    def operations(self) -> Mapping[str, Operation]:
        """By the method's bare name."""
        raise NotImplementedError

    def asked(self, request: Any) -> tuple[str, str]:
        """The account of a request and its transaction, empty where it has none, for whoever watches."""
        raise NotImplementedError

    def plays(self, method: str, request: Any) -> str:
        """`bet` or `win`, or something else for a call that is neither."""
        del request
        return self.movements.get(method, "")

    def reference(self, request: Any) -> str:
        """How the books name what a request is about."""
        return self.asked(request)[1]

    def outcome(self, request: Any, response: Any) -> int:
        """What a bet or win came to, in the numbers of wallet.v1: it is on record, or it was refused."""
        del response
        reference = self.reference(request)
        with self.books.step():
            return int(v1.OUTCOME_OK if self.books.find(reference) else v1.OUTCOME_FAILED)

    def declined(self, method: str) -> Message:
        """A refusal for no reason, which its mapping reads as 99; may raise Refused."""
        raise NotImplementedError

    def unlisted(self, method: str, response: Message) -> Message:
        """The response, saying something that its mapping does not name; may raise Refused."""
        raise NotImplementedError

    def movement(self, entry: Entry) -> Movement:
        """Whose an entry is; by default the wallet keeps the provider's ids and has its words."""
        return Movement(entry.reference, entry.kind)
