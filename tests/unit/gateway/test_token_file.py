"""New tokens are taken over from their file; a file that cannot be used changes nothing and is told of once."""

import asyncio
from pathlib import Path

import pytest

from walletbridge.gateway.token_file import Rotation
from walletbridge.gateway.tokens import Tokens
from walletbridge.settings import Callback

OLD, NEW = b"old-token", b"new-token"


class Scene:
    """A token file and who reads it."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "tokens"
        self.file.write_bytes(OLD)
        self.tokens = Tokens([OLD])
        self.events: list[tuple[str, object]] = []
        self.rotation = Rotation(
            Callback(token_file=self.file, token_file_seconds=0.01),
            self.tokens,
            on_event=lambda event, fields: self.events.append((event, fields)),
        )

    def accepted(self) -> list[bytes]:
        return [token for token in (OLD, NEW) if self.tokens.accept([token])]


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return Scene(tmp_path)


async def test_a_token_is_replaced_in_two_steps(scene: Scene) -> None:
    scene.file.write_bytes(OLD + b"\n" + NEW + b"\n")
    await scene.rotation.look()
    assert scene.accepted() == [OLD, NEW]

    scene.file.write_bytes(NEW)
    await scene.rotation.look()
    assert scene.accepted() == [NEW]
    assert scene.events == [("callback tokens replaced", {"tokens": 2}), ("callback tokens replaced", {"tokens": 1})]


async def test_the_same_tokens_are_no_news(scene: Scene) -> None:
    scene.file.write_bytes(b"\n" + OLD + b",\n" + OLD)
    await scene.rotation.look()

    assert scene.events == []


async def test_a_file_that_is_replaced_whole_is_read(scene: Scene, tmp_path: Path) -> None:
    """As secret stores do it: another file takes the name, perhaps as old as the first."""
    other = tmp_path / "other"
    other.write_bytes(NEW)
    other.replace(scene.file)
    await scene.rotation.look()

    assert scene.accepted() == [NEW]


@pytest.mark.parametrize("content", [b"", b" \n,\n", b"a token", "töken".encode(), NEW + b"\nbad token"])
async def test_what_holds_no_right_tokens_changes_nothing(scene: Scene, content: bytes) -> None:
    scene.file.write_bytes(content)
    await scene.rotation.look()
    await scene.rotation.look()

    assert scene.accepted() == [OLD]
    [(event, fields)] = scene.events
    assert event == "callback tokens not read: the old ones stay"
    assert str(scene.file) in str(fields)
    assert not any(part in str(fields) for part in ("töken", "a token", "bad", "new-token"))


async def test_a_file_that_is_gone_changes_nothing_until_it_is_back(scene: Scene) -> None:
    scene.file.unlink()
    await scene.rotation.look()
    assert scene.accepted() == [OLD]

    scene.file.write_bytes(NEW)
    await scene.rotation.look()
    assert scene.accepted() == [NEW]

    scene.file.unlink()
    await scene.rotation.look()
    assert [event for event, _ in scene.events].count("callback tokens not read: the old ones stay") == 2


async def test_it_looks_again_and_again(scene: Scene) -> None:
    running = asyncio.ensure_future(scene.rotation.run())
    scene.file.write_bytes(NEW)
    async with asyncio.timeout(10):
        while scene.accepted() != [NEW]:  # noqa: ASYNC110 - that is what is tested
            await asyncio.sleep(0.005)
    running.cancel()

    assert scene.events[-1] == ("callback tokens replaced", {"tokens": 1})


async def test_tokens_of_the_environment_stay() -> None:
    """A process does not see its environment change."""
    rotation = Rotation(Callback(), Tokens([OLD]), on_event=lambda *_: None)

    await asyncio.wait_for(rotation.run(), 10)
