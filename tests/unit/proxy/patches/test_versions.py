"""Which versions of mitmproxy are known, and what is said about another."""

import tomllib
from pathlib import Path

import pytest
from mitmproxy import version
from mitmproxy.test import taddons

from walletbridge.proxy.addon import WalletBridge
from walletbridge.proxy.patches.versions import KNOWN, warning_about

PYPROJECT = Path(__file__).parents[4] / "pyproject.toml"


@pytest.mark.parametrize("known", ["12.2", "12.2.1", "12.3.0", "12.3.1", "12.3.0.dev"])
def test_a_known_version_is_not_warned_about(known: str) -> None:
    assert warning_about(known) == ""


@pytest.mark.parametrize("other", ["12.1.9", "12.20", "12.30.1", "12.4.0", "13.0.0"])
def test_another_version_is_warned_about_with_the_known_ones(other: str) -> None:
    expected = f"mitmproxy {other} is not among the versions that walletbridge is tested with: 12.2, 12.3"
    assert warning_about(other) == expected


def test_the_known_versions_are_those_that_the_package_allows() -> None:
    dependencies = tomllib.loads(PYPROJECT.read_text())["project"]["dependencies"]
    allowed = next(line for line in dependencies if line.startswith("mitmproxy"))

    major, minor = map(int, KNOWN[-1].split("."))
    assert allowed.startswith(f"mitmproxy>={KNOWN[0]}.")
    assert allowed.endswith(f",<{major}.{minor + 1}")


def test_the_tests_run_with_a_known_version() -> None:
    assert warning_about(version.VERSION) == ""


async def test_the_addon_warns_when_it_is_loaded(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(version, "VERSION", "13.0.0")
    with taddons.context(WalletBridge()):  # type: ignore[no-untyped-call]
        pass

    assert warning_about("13.0.0") in caplog.text
