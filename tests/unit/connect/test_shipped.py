"""The files that come with the package: what the commands print and write."""

import filecmp
import re
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from walletbridge.cli import main
from walletbridge.connect import shipped

ROOT = Path(__file__).parents[3]
AUTHORITIES = ["addon/walletbridge/protocol/PROTOCOL.md", "addon/walletbridge/rules/RULES.md"]


def test_the_sample_settings_are_printed_as_they_are() -> None:
    result = CliRunner().invoke(main, ["settings"])

    assert (result.exit_code, result.output) == (0, (ROOT / "config" / "walletbridge.yaml").read_text())


def test_the_path_of_the_addon_is_printed() -> None:
    result = CliRunner().invoke(main, ["addon"])

    assert (result.exit_code, result.output) == (0, f"{ROOT / 'addon' / 'main.py'}\n")


def test_examples_are_listed() -> None:
    result = CliRunner().invoke(main, ["examples"])

    listed = result.output.splitlines()
    assert result.exit_code == 0
    assert "config/examples/debit-credit/mapping.yaml" in listed
    assert "config/guides/mapping.md" in listed
    assert "protos/wallet/v1/wallet_service.proto" in listed
    assert set(AUTHORITIES) <= set(listed)
    assert [name for name in listed if not (ROOT / name).is_file()] == []


def test_examples_are_written_into_a_new_folder(tmp_path: Path) -> None:
    result = CliRunner().invoke(main, ["examples", str(tmp_path / "new")])

    assert (result.exit_code, result.output) == (0, f"written: {tmp_path / 'new'}\n")
    for name in ("config", "protos"):
        compared = filecmp.dircmp(ROOT / name, tmp_path / "new" / name)
        assert (compared.left_only, compared.right_only, compared.diff_files) == ([], [], [])
    for name in AUTHORITIES:
        assert filecmp.cmp(ROOT / name, tmp_path / "new" / name, shallow=False)


def test_no_link_of_the_guides_is_dead_where_they_are_written(tmp_path: Path) -> None:
    CliRunner().invoke(main, ["examples", str(tmp_path / "new")])

    links = {
        guide.parent / target.partition("#")[0]
        for guide in (tmp_path / "new").rglob("*.md")
        for target in re.findall(r"\]\(([^)#:]+(?:#[^)]*)?)\)", guide.read_text())
    }
    assert len(links) > 10
    assert [link for link in links if not link.exists()] == []


def test_a_folder_that_is_there_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("precious")
    result = CliRunner().invoke(main, ["examples", str(tmp_path)])

    assert result.exit_code == 1
    assert f"{tmp_path} is there already" in result.output
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    result = CliRunner().invoke(main, ["examples", str(tmp_path / "file" / "new")])

    assert result.exit_code == 1
    assert "file/new: Not a directory" in result.output


def test_an_installed_package_has_its_own_and_takes_nobody_else_s(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    above, package = tmp_path, tmp_path / "lib" / "walletbridge"
    for root in (above, package / "shipped"):
        (root / "config").mkdir(parents=True)
    monkeypatch.setattr(shipped, "_CHECKOUT", above)
    monkeypatch.setattr(shipped, "_IN_WHEEL", package / "shipped")

    assert shipped.find("config") == package / "shipped" / "config"


def test_what_an_installation_lacks_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shipped, "_CHECKOUT", tmp_path)
    monkeypatch.setattr(shipped, "_IN_WHEEL", tmp_path)

    with pytest.raises(FileNotFoundError, match="config is not part of this installation"):
        shipped.find("config")


def test_the_wheel_is_told_to_carry_them(tmp_path: Path) -> None:
    """What `pyproject.toml` names lies where an installed package looks; tests/system builds and installs the wheel."""
    text = (ROOT / "pyproject.toml").read_text()
    section = text.partition("[tool.hatch.build.targets.wheel.force-include]\n")[2].partition("\n\n")[0]
    carried = dict(line.replace('"', "").split(" = ") for line in section.splitlines())

    for source, inside in carried.items():
        target = tmp_path / inside
        target.parent.mkdir(parents=True, exist_ok=True)
        (shutil.copytree if (ROOT / source).is_dir() else shutil.copy)(ROOT / source, target)
    for name in ("addon/main.py", "config/walletbridge.yaml", "protos/wallet/v1/wallet_service.proto"):
        assert (tmp_path / "walletbridge" / "shipped" / name).is_file()
