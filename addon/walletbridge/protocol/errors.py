"""
The exceptions that cross a module's border, each with who raises it and what follows.

They live apart so that the modules which raise them need not import each other.
"""


class BadCallback(ValueError):
    """
    Raised by `callbacks` for a body that is no valid callback. Nothing was sent to the wallet; the answer is HTTP 400.
    """

    def __init__(self, path: str, problem: str) -> None:
        super().__init__(f"{path}: {problem}")
        self.path = path
        """The JSON path of the mistake, such as `$.data.amount`."""
        self.problem = problem
        """What is wrong there and what was expected, in words. Never holds a value from the body."""


class OutcomeUnknown(Exception):
    """
    Raised by the wallet port and by `dispatch` when nobody can say whether money moved. The answer is HTTP 500, upon
    which the provider cancels the bet or repeats the win.
    """

    def __init__(self, reason: str, *, sent: bool) -> None:
        super().__init__(reason)
        self.reason = reason
        """Why, in words for the log and the live view."""
        self.sent = sent
        """False only where it is certain that the wallet was not called."""


class Overloaded(OutcomeUnknown):
    """
    Raised where a limit keeps a call from being sent, so that nothing waits in a queue until its budget is gone.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason, sent=False)


class WalletDown(OutcomeUnknown):
    """
    Raised where the wallet is known not to answer, so that nothing waits for it.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason, sent=False)


class NotSayable(ValueError):
    """
    Raised while a wallet's request is built, for a callback that the request cannot hold exactly. Nothing was sent; the
    text names no value of the callback.
    """


class SettingsError(ValueError):
    """
    Raised by `settings` for a file that cannot be used. The gateway does not start.
    """
