"""What is explored: bets and wins, and wallets that promise more or less."""

from tests.money.model.books import Kindness
from tests.money.model.setting import ANY, Fault, Setting

from walletbridge.rules.promises import Repeats
from walletbridge.rules.row import Kind

FORGETS = Kindness(remembers_cancels=False)
REPORTS_NO_REPEATS = Kindness(reports_repeats=False)


def scenarios(faults: int) -> dict[str, Setting]:
    """By name, with so many faults in a run."""
    any_of_all = (ANY,) * faults
    # Of what the wallet has from elsewhere a refusal or a lost cancel tells nobody anything; nor is it still on its way
    # here: a status that was answered OK before there was a row is on no record. Nor can a replica be contradicted.
    elsewhere = (ANY - {Fault.REFUSED, Fault.CANCEL_LOST, Fault.STRAGGLES, Fault.LAG},) * faults
    return {
        "bet": Setting(faults=any_of_all),
        "bet, forgetful wallet": Setting(faults=any_of_all, kindness=FORGETS),
        "bet, made elsewhere": Setting(faults=elsewhere, was_made_before=True),
        "bet, repeats not reported": Setting(faults=any_of_all, kindness=REPORTS_NO_REPEATS, repeats=Repeats.REPLAYED),
        "win": Setting(faults=any_of_all, kind=Kind.WIN),
        "win, forgetful wallet": Setting(faults=any_of_all, kind=Kind.WIN, kindness=FORGETS),
    }
