"""The callback's tokens come from the environment or from a file, and no error shows one."""

import os
import traceback
from pathlib import Path

import pytest

from walletbridge.protocol.errors import SettingsError
from walletbridge.settings import Callback, read_tokens

NAME = "WALLETBRIDGE_CALLBACK_TOKEN"


def refusal_of(callback: Callback, environ: dict[str, str]) -> SettingsError:
    with pytest.raises(SettingsError) as caught:
        read_tokens(callback, environ)
    return caught.value


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("one", (b"one",)),
        ("one,two", (b"one", b"two")),
        ("one\ntwo\n", (b"one", b"two")),
        (" one ,\ttwo\r\n\r\n, ,three,", (b"one", b"two", b"three")),
        ("!~\"#$%&'()*+-./:;<=>?@[]^_`{|}", (b"!~\"#$%&'()*+-./:;<=>?@[]^_`{|}",)),
        ("same,same", (b"same", b"same")),
    ],
)
def test_tokens_stand_one_a_line_or_comma_separated(tmp_path: Path, text: str, tokens: tuple[bytes, ...]) -> None:
    file = tmp_path / "token"
    file.write_bytes(text.encode())

    assert read_tokens(Callback(), {NAME: text, "OTHER": "other"}) == tokens
    assert read_tokens(Callback(token_env="OTHER"), {NAME: "default", "OTHER": text}) == tokens  # noqa: S106 - a name
    assert read_tokens(Callback(token_file=file), {NAME: "default"}) == tokens


@pytest.mark.parametrize("text", ["", " ", ",", "\n , \t\n"])
def test_no_token_at_all_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "token"
    file.write_text(text)

    assert str(refusal_of(Callback(), {NAME: text})) == (
        f"callback.token_env: the environment variable {NAME} holds no token"
    )
    assert str(refusal_of(Callback(token_file=file), {NAME: "t"})) == (
        f"callback.token_file: the file {file} holds no token"
    )


def test_a_variable_that_is_not_set_is_named() -> None:
    assert str(refusal_of(Callback(token_env="OTHER"), {NAME: "default"})) == (  # noqa: S106 - a name
        "callback.token_env: the environment variable OTHER is not set; expected it to hold the callback's token"
    )


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    missing = tmp_path / "missing"

    assert str(refusal_of(Callback(token_file=missing), {})) == (
        f"callback.token_file: the file {missing} cannot be read: No such file or directory"
    )
    assert str(refusal_of(Callback(token_file=tmp_path), {})) == (
        f"callback.token_file: the file {tmp_path} cannot be read: Is a directory"
    )


@pytest.mark.parametrize(
    "token", ["swordfish two", "swordfish\ttwo", "swordfish\x00", "swordfish\x7f", "swordfish\u00e9", "swordfish\udcff"]
)
def test_a_token_that_no_header_can_hold_is_refused_and_not_shown(tmp_path: Path, token: str) -> None:
    file = tmp_path / "token"
    file.write_bytes(f"first,{token}\n".encode(errors="surrogateescape"))
    problem = "token 2 of 2 (not shown) holds a blank or a character that is not printable ASCII"

    of_environment = refusal_of(Callback(), {NAME: f"first,{token}"})
    of_file = refusal_of(Callback(token_file=file), {})

    assert str(of_environment) == f"callback.token_env: the environment variable {NAME}: {problem}"
    assert str(of_file) == f"callback.token_file: the file {file}: {problem}"
    for error in (of_environment, of_file):
        told = "".join([repr(error), *traceback.format_exception(error)])
        assert "swordfish" not in told
        assert "first," not in told


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("swordfish" * 20_000_000, "cannot be read: longer than 65536 bytes"),
        (",".join(["swordfish"] * 101), "holds 101 tokens, of at most 100: is it the right one?"),
        ("first," + "swordfish" * 200, ": token 2 of 2 (not shown) is longer than 1024 characters"),
    ],
    ids=["a whole disk", "many", "a long one"],
)
def test_what_cannot_be_a_file_of_tokens_is_refused_unread(tmp_path: Path, text: str, problem: str) -> None:
    file = tmp_path / "token"
    file.write_text(text)

    refusal = str(refusal_of(Callback(token_file=file), {}))

    assert refusal.startswith(f"callback.token_file: the file {file}")
    assert refusal.endswith(problem)
    assert "swordfish" not in refusal


def test_a_pipe_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    pipe = tmp_path / "token"
    os.mkfifo(pipe)

    assert str(refusal_of(Callback(token_file=pipe), {})).endswith("cannot be read: not a regular file")


def test_a_variable_is_bounded_as_well() -> None:
    assert str(refusal_of(Callback(), {NAME: "swordfish," * 10_000})) == (
        f"callback.token_env: the environment variable {NAME} is longer than 65536 characters"
    )
