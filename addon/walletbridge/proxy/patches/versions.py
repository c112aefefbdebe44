"""
The tested versions of mitmproxy. walletbridge uses undocumented API, so it may start with another version and then
behave differently.
"""

KNOWN = ("12.2", "12.3")
"""Minor versions; the tests run with the first and the last."""


def warning_about(version: str) -> str:
    """Returns the warning to log at the start about mitmproxy `version`; empty for a tested one."""
    if any(version == known or version.startswith(f"{known}.") for known in KNOWN):
        return ""
    return f"mitmproxy {version} is not among the versions that walletbridge is tested with: {', '.join(KNOWN)}"
