"""
The reason for which the lane refuses a client, with its HTTP status.
"""


class Refused(Exception):
    """Raised for bytes that are not a request, and beyond a limit. Over HTTP/1.1 the connection is closed."""

    def __init__(self, http_status: int, reason: str) -> None:
        super().__init__(f"{http_status} {reason}")
        self.http_status = http_status
        """Between 400 and 505."""
        self.reason = reason
        """A few words; never contains bytes from the client."""
