"""A stream that gives its bytes away as they come: none twice, none lost, none out of turn."""

from walletbridge.serve.stream import Reader


async def test_what_comes_is_given_away_and_nobody_has_to_read() -> None:
    reader, taken = Reader(), list[bytes]()
    reader.give_to(taken.append)
    reader.feed_data(b"one")
    reader.feed_data(b"two")
    reader.feed_eof()

    assert taken == [b"one", b"two"]
    assert await reader.read(10) == b""


async def test_what_came_before_is_read_first() -> None:
    """Only once all of it was read, the next piece is given away."""
    reader, taken = Reader(), list[bytes]()
    reader.feed_data(b"before")
    reader.give_to(taken.append)
    reader.feed_data(b", behind it")
    assert await reader.read(9) == b"before, b"
    reader.feed_data(b" and more")
    assert taken == []

    assert await reader.read(100) == b"ehind it and more"
    reader.feed_data(b"last")
    assert taken == [b"last"]


async def test_it_can_be_read_again() -> None:
    reader, taken = Reader(), list[bytes]()
    reader.give_to(taken.append)
    reader.feed_data(b"given")
    reader.give_to(None)
    reader.feed_data(b"read")

    assert await reader.read(10) == b"read"
    assert taken == [b"given"]
