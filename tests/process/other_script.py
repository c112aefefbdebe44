"""A script of the operator's own that mitmdump loads beside the gateway."""

from mitmproxy.addonmanager import Loader


def load(loader: Loader) -> None:
    """Has an option that is a number."""
    loader.add_option("other_number", int, 0, "A number.")
