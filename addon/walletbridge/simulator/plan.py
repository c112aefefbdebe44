"""
What a run is to do, and the provider's own times and retries. PROTOCOL: Time limits, Retries.
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
"""Seconds before `balance` is asked again; nothing is documented."""
DEPOSIT_WAIT = (2.0, 4.0)
"""Seconds before a deposit is sent again."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """One run of the simulator."""

    url: str
    """The callback URL."""
    token: str = field(repr=False)
    accounts: tuple[str, ...] = ("test1234",)
    """Each is played by one player; the players play at once."""
    inactive_account: str | None = None
    """An account that must be answered 22."""
    documented_cases: bool = True
    """Whether every player starts with all documented cases."""
    rounds: int | None = 20
    """How many random rounds each player plays after that; None plays until the time is up."""
    duration: float = 20.0
    """Seconds within which the run ends. Never scaled."""
    seed: int = 0
    decimals: int = 0
    """Decimals of the amounts that are sent, 0 to 8."""
    deposit_retries: int = 3
    time_scale: float = 1.0
    """Divides the protocol's limits and waits."""
    wait_scale: float | None = None
    """Divides the waits between tries, where they are to go otherwise than the limits."""
    verify_tls: bool = True
    faults_expected: bool = False
    """
    Whether late answers, broken connections and any 5xx are what the run is about: unknown outcomes, no violations.
    """

    @property
    def play_until(self) -> float:
        """Seconds after which no new round begins."""
        return self.duration * 0.6

    @property
    def cut_at(self) -> float:
        """Seconds after which calls and retries are cut; what is left belongs to the final comparison."""
        return self.duration * 0.8

    def limit(self, command: Command) -> float:
        """Seconds within which the answer must arrive."""
        return LIMITS[command] / self.time_scale

    def wait(self, seconds: float) -> float:
        """Seconds to wait where the protocol says `seconds`."""
        return seconds / (self.wait_scale or self.time_scale)
