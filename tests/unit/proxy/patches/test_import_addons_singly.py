"""A server holds nothing of what mitmproxy brings for other uses."""

import subprocess
import sys

import mitmproxy.addons
import pytest

from walletbridge.proxy.patches.import_addons_singly import import_addons_singly

UNUSED = ("flask", "ldap3", "mitmproxy.addons.clientplayback", "mitmproxy.addons.onboarding")
"""What a server with mitmproxy's default addons would have imported, for instance."""


def imported_by(*modules: str) -> str:
    script = f"""
import sys
from walletbridge.proxy.patches.import_addons_singly import import_addons_singly
import_addons_singly()
import {", ".join(modules)}
print(*[name for name in {UNUSED} if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)
    return done.stdout.strip()


@pytest.mark.parametrize("module", ["walletbridge.serve.single", "walletbridge.serve.doors"])
def test_a_server_imports_none_of_them(module: str) -> None:
    assert imported_by(module, "walletbridge.serve.launch", "walletbridge.serve.master") == ""


def test_without_it_they_would_be_imported() -> None:
    assert imported_by("walletbridge.serve.launch", "mitmproxy.addons.clientplayback") != ""


def test_where_they_are_there_already_they_stay() -> None:
    import_addons_singly()

    assert sys.modules["mitmproxy.addons"] is mitmproxy.addons
    assert mitmproxy.addons.default_addons()  # type: ignore[no-untyped-call]
