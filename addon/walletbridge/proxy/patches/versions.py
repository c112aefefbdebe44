"""
The versions of mitmproxy with which walletbridge is tested. It uses API that mitmproxy does not document, so another
version may start and then behave differently.
"""

KNOWN = ("12.2", "12.3")
"""Minor versions; the tests run with the first and with the last."""


def warning_about(version: str) -> str:
    """What to say at the start about mitmproxy `version`; empty for a known one."""
    if any(version == known or version.startswith(f"{known}.") for known in KNOWN):
        return ""
    return f"mitmproxy {version} is not among the versions that walletbridge is tested with: {', '.join(KNOWN)}"
