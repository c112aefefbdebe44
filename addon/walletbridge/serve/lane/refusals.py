"""
Why the lane turns a client away, with the HTTP status that says so.
"""


class Refused(Exception):
    """Raised by the lane's parser for bytes that are no request, or one beyond a limit. The connection is closed."""

    def __init__(self, http_status: int, reason: str) -> None:
        super().__init__(f"{http_status} {reason}")
        self.http_status = http_status
        """Between 400 and 505."""
        self.reason = reason
        """In a few words; never holds anything that the client sent."""
