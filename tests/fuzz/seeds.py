"""
What the first inputs are made of: the documented callbacks in all framings, and every known attack.
"""

from tests.fuzz.target import SETTINGS
from tests.support.callbacks import body, raw_body
from tests.support.vectors import load_cases
from tests.unit.serve.lane.fakes import TOKEN, request
from tests.unit.serve.lane.smuggling import CASES

WORDS = (
    *(b"\r\n", b"\n", b"\r", b"\0", b" ", b"\t", b":", b",", b";", b"0", b"1", b"ffffffff", b"0\r\n\r\n", b"\r\n\r\n"),
    *(b"Content-Length: ", b"Transfer-Encoding: chunked\r\n", b"Host: x\r\n", b"Connection: close\r\n", b"Expect: "),
    *(b"100-continue", b"Callback-Token: ", TOKEN, b"POST /callback HTTP/1.1\r\n", b"HTTP/1.0", b"Upgrade: h2c\r\n"),
    *(b'"command":"', b'"data":{', b'"account":', b'"trans_id":', b'"amount":', b'"check":"21,22"', b'"timestamp":'),
    *(b'"authenticate"', b'"balance"', b'"bet"', b'"win"', b'"cancel"', b'"status"', b"null", b"NaN", b"1e999999999"),
    *(b"\xef\xbb\xbf", b"\\ud800", b"9223372036854775807", b"0.001"),
)
"""For the engine's dictionary."""
_AMOUNTS = ("-1", "0.001", "1e3", '"10.50"', "NaN", "92233720368547758.08", "null")


def seeds() -> list[bytes]:
    """The same ones every time."""
    callbacks = [body(case.request) for case in load_cases()]
    bodies = [*callbacks, *(raw_body("bet", amount=amount) for amount in _AMOUNTS), b"{", b'{"a":1,"a":2}', b"\xff"]
    bet = callbacks[0]
    framed = [
        *(request(content) for content in bodies),
        *(chunked(content) for content in callbacks),
        request(b"", b"Expect: 100-continue\r\n"),
        request(bet, b"Expect: 100-continue\r\n"),
        request(bet, token=b"wrong"),
        request(bet, token=b"wrong") * (SETTINGS.limits.wrong_tokens_per_second + 1),
        request(bet, version=b"1.0"),
        request(bet, b"Connection: close\r\n"),
        request(bet, method=b"GET"),
        request(b" " * (SETTINGS.limits.body_bytes + 1)),
        request(bet, b"X-Long: " + b"x" * SETTINGS.limits.header_bytes + b"\r\n"),
        request(bet) + chunked(bet) + request(bet),
        request(bet) + b"GET /x HTTP/1.1\r\n\r\n",
        b"GET /x HTTP/1.1\r\n\r\n",
    ]
    return [*framed, *(case.data for case in CASES.values())]


def chunked(content: bytes) -> bytes:
    """A callback whose body comes in two chunks."""
    head = request(b"").replace(b"Content-Length: 0\r\n\r\n", b"Transfer-Encoding: chunked\r\n\r\n")
    first, last = content[:7], content[7:]
    return head + b"%x\r\n%b\r\n%x;a=b\r\n%b\r\n0\r\nX: y\r\n\r\n" % (len(first), first, len(last), last)
