"""
The exceptions that cross module borders, each with its source and its consequence.

They have their own module so that the modules that raise them need not import each other.
"""


class BadCallback(ValueError):
    """
    Raised by `callbacks.decode` for an invalid body. The wallet was not called; the answer is HTTP 400.
    """

    def __init__(self, path: str, problem: str) -> None:
        super().__init__(f"{path}: {problem}")
        self.path = path
        """The JSON path of the mistake, such as `$.data.amount`."""
        self.problem = problem
        """The mistake and the expected form, in words. Never holds a value from the body."""


class OutcomeUnknown(Exception):
    """
    Raised by the wallet port and by `dispatch` when it is unknown whether money moved. The answer is HTTP 500, and the
    provider then cancels the bet, or repeats the win or cancel (PROTOCOL: Retries).
    """

    def __init__(self, reason: str, *, sent: bool) -> None:
        super().__init__(reason)
        self.reason = reason
        """The cause, in words for the log and the live view."""
        self.sent = sent
        """False only if the call was certainly not sent to the wallet."""


class Overloaded(OutcomeUnknown):
    """
    Raised when a limit forbids a call before it is sent, so that no call spends its budget in a queue.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason, sent=False)


class WalletDown(OutcomeUnknown):
    """
    Raised while the wallet is known not to answer, so that no call waits for it.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason, sent=False)


class NotSayable(ValueError):
    """
    Raised while a wallet's request is built, if the request cannot hold a value of the callback exactly. Nothing was
    sent. The text shows no value of the callback.
    """


class SettingsError(ValueError):
    """
    Raised for settings, or files that they name, that cannot be used. The gateway does not start.
    """
