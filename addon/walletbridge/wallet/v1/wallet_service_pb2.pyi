import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Check(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    CHECK_UNSPECIFIED: _ClassVar[Check]
    CHECK_PLAYER_EXISTS: _ClassVar[Check]
    CHECK_PLAYER_ACTIVE: _ClassVar[Check]
    CHECK_BALANCE_SUFFICIENT: _ClassVar[Check]
    CHECK_NOT_PROCESSED: _ClassVar[Check]
    CHECK_TRANSACTION_EXISTS: _ClassVar[Check]

class Outcome(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    OUTCOME_UNSPECIFIED: _ClassVar[Outcome]
    OUTCOME_OK: _ClassVar[Outcome]
    OUTCOME_PLAYER_NOT_FOUND: _ClassVar[Outcome]
    OUTCOME_PLAYER_INACTIVE: _ClassVar[Outcome]
    OUTCOME_BALANCE_INSUFFICIENT: _ClassVar[Outcome]
    OUTCOME_ALREADY_PROCESSED: _ClassVar[Outcome]
    OUTCOME_TRANSACTION_NOT_FOUND: _ClassVar[Outcome]
    OUTCOME_FAILED: _ClassVar[Outcome]

class TransactionState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    TRANSACTION_STATE_UNSPECIFIED: _ClassVar[TransactionState]
    TRANSACTION_STATE_PROCESSED: _ClassVar[TransactionState]
    TRANSACTION_STATE_CANCELED: _ClassVar[TransactionState]
CHECK_UNSPECIFIED: Check
CHECK_PLAYER_EXISTS: Check
CHECK_PLAYER_ACTIVE: Check
CHECK_BALANCE_SUFFICIENT: Check
CHECK_NOT_PROCESSED: Check
CHECK_TRANSACTION_EXISTS: Check
OUTCOME_UNSPECIFIED: Outcome
OUTCOME_OK: Outcome
OUTCOME_PLAYER_NOT_FOUND: Outcome
OUTCOME_PLAYER_INACTIVE: Outcome
OUTCOME_BALANCE_INSUFFICIENT: Outcome
OUTCOME_ALREADY_PROCESSED: Outcome
OUTCOME_TRANSACTION_NOT_FOUND: Outcome
OUTCOME_FAILED: Outcome
TRANSACTION_STATE_UNSPECIFIED: TransactionState
TRANSACTION_STATE_PROCESSED: TransactionState
TRANSACTION_STATE_CANCELED: TransactionState

class AuthenticateRequest(_message.Message):
    __slots__ = ("account", "checks")
    ACCOUNT_FIELD_NUMBER: _ClassVar[int]
    CHECKS_FIELD_NUMBER: _ClassVar[int]
    account: str
    checks: _containers.RepeatedScalarFieldContainer[Check]
    def __init__(self, account: _Optional[str] = ..., checks: _Optional[_Iterable[_Union[Check, str]]] = ...) -> None: ...

class AuthenticateResponse(_message.Message):
    __slots__ = ("outcome", "balance")
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    BALANCE_FIELD_NUMBER: _ClassVar[int]
    outcome: Outcome
    balance: int
    def __init__(self, outcome: _Optional[_Union[Outcome, str]] = ..., balance: _Optional[int] = ...) -> None: ...

class GetBalanceRequest(_message.Message):
    __slots__ = ("account", "checks")
    ACCOUNT_FIELD_NUMBER: _ClassVar[int]
    CHECKS_FIELD_NUMBER: _ClassVar[int]
    account: str
    checks: _containers.RepeatedScalarFieldContainer[Check]
    def __init__(self, account: _Optional[str] = ..., checks: _Optional[_Iterable[_Union[Check, str]]] = ...) -> None: ...

class GetBalanceResponse(_message.Message):
    __slots__ = ("outcome", "balance")
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    BALANCE_FIELD_NUMBER: _ClassVar[int]
    outcome: Outcome
    balance: int
    def __init__(self, outcome: _Optional[_Union[Outcome, str]] = ..., balance: _Optional[int] = ...) -> None: ...

class PlaceBetRequest(_message.Message):
    __slots__ = ("account", "checks", "trans_id", "amount", "round_id", "call_id", "provider_id", "game_code", "game_name", "game_type", "type", "requested_at")
    ACCOUNT_FIELD_NUMBER: _ClassVar[int]
    CHECKS_FIELD_NUMBER: _ClassVar[int]
    TRANS_ID_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_FIELD_NUMBER: _ClassVar[int]
    ROUND_ID_FIELD_NUMBER: _ClassVar[int]
    CALL_ID_FIELD_NUMBER: _ClassVar[int]
    PROVIDER_ID_FIELD_NUMBER: _ClassVar[int]
    GAME_CODE_FIELD_NUMBER: _ClassVar[int]
    GAME_NAME_FIELD_NUMBER: _ClassVar[int]
    GAME_TYPE_FIELD_NUMBER: _ClassVar[int]
    TYPE_FIELD_NUMBER: _ClassVar[int]
    REQUESTED_AT_FIELD_NUMBER: _ClassVar[int]
    account: str
    checks: _containers.RepeatedScalarFieldContainer[Check]
    trans_id: str
    amount: int
    round_id: str
    call_id: int
    provider_id: int
    game_code: str
    game_name: str
    game_type: str
    type: int
    requested_at: _timestamp_pb2.Timestamp
    def __init__(self, account: _Optional[str] = ..., checks: _Optional[_Iterable[_Union[Check, str]]] = ..., trans_id: _Optional[str] = ..., amount: _Optional[int] = ..., round_id: _Optional[str] = ..., call_id: _Optional[int] = ..., provider_id: _Optional[int] = ..., game_code: _Optional[str] = ..., game_name: _Optional[str] = ..., game_type: _Optional[str] = ..., type: _Optional[int] = ..., requested_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class PlaceBetResponse(_message.Message):
    __slots__ = ("outcome", "balance")
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    BALANCE_FIELD_NUMBER: _ClassVar[int]
    outcome: Outcome
    balance: int
    def __init__(self, outcome: _Optional[_Union[Outcome, str]] = ..., balance: _Optional[int] = ...) -> None: ...

class SettleWinRequest(_message.Message):
    __slots__ = ("account", "checks", "trans_id", "amount", "round_id", "call_id", "provider_id", "game_code", "game_name", "game_type", "type", "requested_at", "redelivered")
    ACCOUNT_FIELD_NUMBER: _ClassVar[int]
    CHECKS_FIELD_NUMBER: _ClassVar[int]
    TRANS_ID_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_FIELD_NUMBER: _ClassVar[int]
    ROUND_ID_FIELD_NUMBER: _ClassVar[int]
    CALL_ID_FIELD_NUMBER: _ClassVar[int]
    PROVIDER_ID_FIELD_NUMBER: _ClassVar[int]
    GAME_CODE_FIELD_NUMBER: _ClassVar[int]
    GAME_NAME_FIELD_NUMBER: _ClassVar[int]
    GAME_TYPE_FIELD_NUMBER: _ClassVar[int]
    TYPE_FIELD_NUMBER: _ClassVar[int]
    REQUESTED_AT_FIELD_NUMBER: _ClassVar[int]
    REDELIVERED_FIELD_NUMBER: _ClassVar[int]
    account: str
    checks: _containers.RepeatedScalarFieldContainer[Check]
    trans_id: str
    amount: int
    round_id: str
    call_id: int
    provider_id: int
    game_code: str
    game_name: str
    game_type: str
    type: int
    requested_at: _timestamp_pb2.Timestamp
    redelivered: bool
    def __init__(self, account: _Optional[str] = ..., checks: _Optional[_Iterable[_Union[Check, str]]] = ..., trans_id: _Optional[str] = ..., amount: _Optional[int] = ..., round_id: _Optional[str] = ..., call_id: _Optional[int] = ..., provider_id: _Optional[int] = ..., game_code: _Optional[str] = ..., game_name: _Optional[str] = ..., game_type: _Optional[str] = ..., type: _Optional[int] = ..., requested_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., redelivered: _Optional[bool] = ...) -> None: ...

class SettleWinResponse(_message.Message):
    __slots__ = ("outcome", "balance")
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    BALANCE_FIELD_NUMBER: _ClassVar[int]
    outcome: Outcome
    balance: int
    def __init__(self, outcome: _Optional[_Union[Outcome, str]] = ..., balance: _Optional[int] = ...) -> None: ...

class CancelTransactionRequest(_message.Message):
    __slots__ = ("account", "checks", "trans_id", "round_id", "provider_id", "game_code", "game_name", "game_type", "requested_at", "redelivered")
    ACCOUNT_FIELD_NUMBER: _ClassVar[int]
    CHECKS_FIELD_NUMBER: _ClassVar[int]
    TRANS_ID_FIELD_NUMBER: _ClassVar[int]
    ROUND_ID_FIELD_NUMBER: _ClassVar[int]
    PROVIDER_ID_FIELD_NUMBER: _ClassVar[int]
    GAME_CODE_FIELD_NUMBER: _ClassVar[int]
    GAME_NAME_FIELD_NUMBER: _ClassVar[int]
    GAME_TYPE_FIELD_NUMBER: _ClassVar[int]
    REQUESTED_AT_FIELD_NUMBER: _ClassVar[int]
    REDELIVERED_FIELD_NUMBER: _ClassVar[int]
    account: str
    checks: _containers.RepeatedScalarFieldContainer[Check]
    trans_id: str
    round_id: str
    provider_id: int
    game_code: str
    game_name: str
    game_type: str
    requested_at: _timestamp_pb2.Timestamp
    redelivered: bool
    def __init__(self, account: _Optional[str] = ..., checks: _Optional[_Iterable[_Union[Check, str]]] = ..., trans_id: _Optional[str] = ..., round_id: _Optional[str] = ..., provider_id: _Optional[int] = ..., game_code: _Optional[str] = ..., game_name: _Optional[str] = ..., game_type: _Optional[str] = ..., requested_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., redelivered: _Optional[bool] = ...) -> None: ...

class CancelTransactionResponse(_message.Message):
    __slots__ = ("outcome", "balance")
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    BALANCE_FIELD_NUMBER: _ClassVar[int]
    outcome: Outcome
    balance: int
    def __init__(self, outcome: _Optional[_Union[Outcome, str]] = ..., balance: _Optional[int] = ...) -> None: ...

class GetTransactionStatusRequest(_message.Message):
    __slots__ = ("account", "checks", "trans_id")
    ACCOUNT_FIELD_NUMBER: _ClassVar[int]
    CHECKS_FIELD_NUMBER: _ClassVar[int]
    TRANS_ID_FIELD_NUMBER: _ClassVar[int]
    account: str
    checks: _containers.RepeatedScalarFieldContainer[Check]
    trans_id: str
    def __init__(self, account: _Optional[str] = ..., checks: _Optional[_Iterable[_Union[Check, str]]] = ..., trans_id: _Optional[str] = ...) -> None: ...

class GetTransactionStatusResponse(_message.Message):
    __slots__ = ("outcome", "balance", "state")
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    BALANCE_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    outcome: Outcome
    balance: int
    state: TransactionState
    def __init__(self, outcome: _Optional[_Union[Outcome, str]] = ..., balance: _Optional[int] = ..., state: _Optional[_Union[TransactionState, str]] = ...) -> None: ...
