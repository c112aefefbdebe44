"""
Sends bytes to the callback URL as the provider does, and returns the answer: a thin layer over aiohttp.
"""

import asyncio
import html
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from types import TracebackType
from typing import Self
from urllib.parse import quote, urlsplit

import aiohttp

from walletbridge.simulator.plan import Plan
from walletbridge.simulator.wire.readings import BODY_BYTES_MAX

HANG_UP_SECONDS = 0.005
_IDLE_SECONDS_MAX = 1.5
"""A connection that was idle for longer is not used again, because the server may close it at any moment."""
_SECRET_CHARACTERS_MIN = 8
"""Of a shorter token, the part without its last character is not redacted: it could occur in any text."""
_CONNECT_SHARE = 0.9
"""Connecting may take this share of the limit, so that `unreachable` and `late` can be distinguished."""


class Token(Enum):
    """The value of `Callback-Token`, as reports show it."""

    RIGHT = "***"
    WRONG = "*** (wrong on purpose)"
    CUT = "*** (its last character cut)"
    MISSING = None


class Failure(Enum):
    """Why there is no answer."""

    LATE = "no answer within the limit"
    UNREACHABLE = "no connection"
    BROKEN = "the connection broke"
    HUNG_UP = "the provider hung up, on purpose"


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer. A body over the limit is cut one byte past it."""

    http_status: int
    body: bytes


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request and its answer or failure."""

    body: bytes
    """The bytes sent."""
    token: Token
    answer: Answer | None
    failure: Failure | None
    detail: str
    """Details of the failure, for people. May contain the server's text: redact before showing."""
    seconds: float

    @property
    def why(self) -> str:
        """The reason why there is no answer, in words; empty if there is one."""
        if self.failure is None:
            return ""
        return f"{self.failure.value}: {self.detail}" if self.detail else self.failure.value


class Client:
    """An HTTP client of one callback URL. Follows no redirect and keeps no cookie."""

    def __init__(self, plan: Plan, clock: Callable[[], float]) -> None:
        self._url = plan.url
        self._clock = clock
        self._tokens = {
            Token.RIGHT: plan.token,
            Token.WRONG: "wrong-" + "0" * 26,
            Token.CUT: plan.token[:-1],
            Token.MISSING: None,
        }
        self._secrets = _spellings(plan.token)
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(ssl=plan.verify_tls, limit=0, keepalive_timeout=_IDLE_SECONDS_MAX),
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={
                "Accept": "application/json",
                "Content-Type": "application/json",
                "User-Agent": "walletbridge-simulate",
            },
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._session.close()

    @property
    def url(self) -> str:
        """The URL in a form to show: without user, password and token."""
        parts = urlsplit(self._url)
        return self.redact(parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl())

    def redact(self, text: str) -> str:
        """Returns `text` without the token, in any spelling that the server may use."""
        return self._secrets.sub("***", text)

    async def post(self, body: bytes, limit: float, *, token: Token = Token.RIGHT, hang_up: bool = False) -> Exchange:
        """
        Sends `body` and waits up to `limit` seconds for the answer, or hangs up after 5 ms. Returns failures in the
        Exchange.
        """
        answer: Answer | None = None
        failure: Failure | None = None
        detail = ""
        start = self._clock()
        try:
            async with asyncio.timeout(HANG_UP_SECONDS if hang_up else limit):
                answer = await self._post(body, limit * _CONNECT_SHARE, self._tokens[token])
        except aiohttp.ClientConnectorError as error:
            failure, detail = Failure.UNREACHABLE, error.strerror or str(error)
        except aiohttp.ConnectionTimeoutError:
            failure, detail = Failure.UNREACHABLE, "the connection did not stand in time"
        except TimeoutError:
            failure, detail = Failure.LATE, f"waited {limit:.3g} s"
        except (aiohttp.ClientError, OSError) as error:
            failure, detail = Failure.BROKEN, str(error) or type(error).__name__
        if hang_up:
            answer, failure, detail = None, Failure.HUNG_UP, ""
        return Exchange(body, token, answer, failure, detail, self._clock() - start)

    async def _post(self, body: bytes, connect_limit: float, token: str | None) -> Answer:
        async with self._session.post(
            self._url,
            data=body,
            headers={} if token is None else {"Callback-Token": token},
            allow_redirects=False,
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=connect_limit),
        ) as response:
            read = bytearray()
            async for chunk in response.content.iter_any():
                read += chunk
                if len(read) > BODY_BYTES_MAX:
                    break
            return Answer(response.status, bytes(read[: BODY_BYTES_MAX + 1]))


def _spellings(token: str) -> re.Pattern[str]:
    """
    Matches the token as text, JSON, HTML and URLs spell it, and without its last character; the longest first.

    A short token matches only as a whole word: `tok` also occurs in `token`.
    """
    is_long = len(token) >= _SECRET_CHARACTERS_MIN
    found = {
        spelling
        for secret in ((token, token[:-1]) if is_long else (token,))
        for spelling in (secret, json.dumps(secret)[1:-1], html.escape(secret), quote(secret), quote(secret, safe=""))
    }
    any_of = "|".join(map(re.escape, sorted(found, key=len, reverse=True)))
    return re.compile(any_of if is_long else rf"(?:(?<![A-Za-z0-9])|(?<=\\[rnt]))(?:{any_of})(?![A-Za-z0-9])")
