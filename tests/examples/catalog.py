"""The example wallets by name."""

from tests.examples.debit_credit import DebitCredit, DebitCreditUnprotected
from tests.examples.error_info import ErrorInfoWallet
from tests.examples.process_oneof import ProcessOneof
from tests.examples.proto2_legacy import Proto2Legacy
from tests.examples.service import ExampleWallet
from tests.examples.status_enum import StatusEnum

WALLETS: dict[str, type[ExampleWallet]] = {
    wallet.name: wallet
    for wallet in (StatusEnum, ErrorInfoWallet, ProcessOneof, Proto2Legacy, DebitCredit, DebitCreditUnprotected)
}
"""In the order of their promises, the fullest first."""
