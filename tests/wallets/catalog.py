"""The example wallets by name."""

from tests.wallets.debit_credit import DebitCredit, DebitCreditUnprotected
from tests.wallets.error_info import ErrorInfoWallet
from tests.wallets.process_oneof import ProcessOneof
from tests.wallets.proto2_legacy import Proto2Legacy
from tests.wallets.service import ExampleWallet
from tests.wallets.status_enum import StatusEnum

WALLETS: dict[str, type[ExampleWallet]] = {
    wallet.name: wallet
    for wallet in (StatusEnum, ErrorInfoWallet, ProcessOneof, Proto2Legacy, DebitCredit, DebitCreditUnprotected)
}
"""In the order of their promises, the fullest first."""
