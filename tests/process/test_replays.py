"""Saved callbacks hold no token, and neither loading nor replaying them moves money."""

from pathlib import Path

import aiohttp
from tests.process.upstream import running_upstream
from tests.support.callbacks import make_callback
from tests.support.processes import TOKEN, Way, arguments, end_of, post, running, running_wallet, write_settings

PLAYER = "test1234"
BET = make_callback("bet", amount=10)


async def test_saved_flows_hold_no_token_and_are_not_made_again(tmp_path: Path) -> None:
    flows, stdout = tmp_path / "flows", tmp_path / "stdout.txt"
    async with running_wallet(tmp_path, PLAYER) as wallet, running_upstream() as upstream:
        config = write_settings(tmp_path, wallet_port=wallet.port)

        def mitmdump(*options: str) -> list[str]:
            return arguments(Way.MITMDUMP, config, upstream=upstream.url, options=["--flow-detail", "4", *options])

        async with (
            running(mitmdump("-w", str(flows), "--set", "termlog_verbosity=debug"), tmp_path, stdout=stdout) as gateway,
            aiohttp.ClientSession() as client,
        ):
            answers = [
                await post(client, gateway.url, BET),
                await post(client, gateway.url, BET, token=f"not-{TOKEN}"),
                await post(client, gateway.url, b"no callback"),
                await post(client, gateway.url, BET),
            ]
        calls, balance = wallet.calls, wallet.balance(PLAYER)
        loaded = await end_of(mitmdump("-n", "-r", str(flows)), tmp_path)
        replayed = await end_of(mitmdump("-C", str(flows)), tmp_path)

        assert [status for status, _ in answers] == [200, 200, 400, 200]
        saved = flows.read_bytes()
        assert b"Callback-Token" in saved
        for text in (saved.decode(errors="replace"), stdout.read_text(), "\n".join(gateway.lines)):
            assert "command" in text
            assert TOKEN not in text

        assert [code for code, _ in (loaded, replayed)] == [0, 0]
        assert 4 == loaded[1].count("POST http") == replayed[1].count("POST http")
        assert replayed[1].count("<< 403 Forbidden") == 4
        assert (calls, balance) == (wallet.calls, wallet.balance(PLAYER))
        assert upstream.requests == []
