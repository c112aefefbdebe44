"""
The plan of a run, and the provider's time limits and retries. PROTOCOL: Time limits, Retries.
"""

from dataclasses import dataclass, field

from walletbridge.protocol.callbacks import Command

LIMITS = {
    Command.AUTHENTICATE: 4.0,
    Command.BALANCE: 2.0,
    Command.BET: 2.0,
    Command.WIN: 4.0,
    Command.CANCEL: 4.0,
    Command.STATUS: 4.0,
}
"""Seconds within which the answer must arrive."""
BALANCE_RETRIES = 2
BALANCE_WAIT = (0.5, 1.0)
"""Seconds before `balance` is sent again. The provider documents no value."""
DEPOSIT_WAIT = (2.0, 4.0)
"""Seconds before a deposit is sent again."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """One run of the simulator."""

    url: str
    """The callback URL."""
    token: str = field(repr=False)
    accounts: tuple[str, ...] = ("test1234",)
    """One player plays each account; the players play at once."""
    inactive_account: str | None = None
    """An account for which the wallet must answer 22."""
    documented_cases: bool = True
    """Whether every player starts with all documented cases."""
    rounds: int | None = 20
    """Random rounds for each player after the documented cases; None plays until the time is up."""
    duration: float = 20.0
    """Seconds until the run ends. Never scaled."""
    seed: int = 0
    decimals: int = 0
    """Decimals of the sent amounts, 0 to 8."""
    deposit_retries: int = 3
    time_scale: float = 1.0
    """Divides the protocol's limits and waits."""
    wait_scale: float | None = None
    """Divides the waits between tries; None uses `time_scale`."""
    verify_tls: bool = True
    faults_expected: bool = False
    """
    Whether late answers, broken connections and any 5xx are expected: they are unknown outcomes then, not violations.
    """

    @property
    def play_until(self) -> float:
        """Seconds after which no new round begins."""
        return self.duration * 0.6

    @property
    def cut_at(self) -> float:
        """Seconds after which calls and retries are cut. The final comparison uses the remaining time."""
        return self.duration * 0.8

    def limit(self, command: Command) -> float:
        """Seconds within which the answer must arrive."""
        return LIMITS[command] / self.time_scale

    def wait(self, seconds: float) -> float:
        """Returns the seconds to wait for the protocol's `seconds`."""
        return seconds / (self.wait_scale or self.time_scale)
