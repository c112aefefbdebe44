"""`.proto` files, read by a real compiler."""

from pathlib import Path

import pytest
from tests.support.mappings import BANK, SINK

from walletbridge.wallet.proto.protoc import compile_protos
from walletbridge.wallet.proto.schema import BadSchema


def test_a_file_is_read_with_all_that_it_imports(tmp_path: Path) -> None:
    (tmp_path / "own" / "deep").mkdir(parents=True)
    (tmp_path / "own" / "deep" / "sink.proto").write_text(
        SINK.replace("package sink;", 'package sink;\nimport "deep/other.proto";')
    )
    (tmp_path / "own" / "deep" / "other.proto").write_text('syntax = "proto3"; package other; message M {}')
    files = compile_protos([tmp_path / "own" / "deep" / "sink.proto"], [tmp_path / "own"])

    names = [file.name for file in files.file]
    assert set(names) == {
        "google/protobuf/timestamp.proto",
        "google/type/money.proto",
        "deep/other.proto",
        "deep/sink.proto",
    }


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("message {", r"bank\.proto:\d+:\d+: "),
        ('syntax = "proto3"; import "none.proto";', r"none\.proto"),
        ('syntax = "proto3"; message M { Nothing a = 1; }', r"bank\.proto:1:\d+: .*Nothing.* is not defined"),
    ],
)
def test_a_mistake_is_told_in_the_compiler_s_words(tmp_path: Path, text: str, problem: str) -> None:
    (tmp_path / "bank.proto").write_text(text)

    with pytest.raises(BadSchema, match=problem):
        compile_protos([tmp_path / "bank.proto"], [tmp_path])


def test_a_file_lies_in_a_folder_of_include(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "bank.proto").write_text(BANK)

    with pytest.raises(BadSchema, match="is in no folder of include"):
        compile_protos([tmp_path / "bank.proto"], [tmp_path / "a"])
    with pytest.raises(BadSchema, match="there is no such file"):
        compile_protos([tmp_path / "none.proto"], [tmp_path])


@pytest.mark.parametrize("name", ["--plugin=x.proto", "-Ix.proto", "@x.proto"])
def test_a_name_that_is_an_option_to_the_compiler_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text('syntax = "proto3";')

    with pytest.raises(BadSchema, match="rename it"):
        compile_protos([tmp_path / name], [tmp_path])


@pytest.mark.parametrize("name", ["a=b", "a:b"])
def test_a_folder_that_is_two_to_the_compiler_is_refused(tmp_path: Path, name: str) -> None:
    folder = tmp_path / name
    folder.mkdir()
    (folder / "x.proto").write_text('syntax = "proto3";')

    with pytest.raises(BadSchema, match="takes no folder with"):
        compile_protos([folder / "x.proto"], [folder])


def test_a_folder_and_a_huge_file_are_no_protos(tmp_path: Path) -> None:
    (tmp_path / "huge.proto").write_bytes(b" " * (5 << 20))

    with pytest.raises(BadSchema, match="longer than"):
        compile_protos([tmp_path / "huge.proto"], [tmp_path])
    with pytest.raises(BadSchema, match="Is a directory"):
        compile_protos([tmp_path], [tmp_path])
