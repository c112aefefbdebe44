"""
What `mitmproxy -s addon/main.py` loads.
"""

import logging

try:
    from walletbridge.proxy.addon import WalletBridge
except ModuleNotFoundError as error:
    # An error ends a mitmproxy that is starting. It runs in a Python of its own, which may lack what we need.
    logging.getLogger(__name__).error(  # noqa: TRY400 - the text says it all
        "walletbridge: the package %s is missing; install walletbridge into mitmproxy's own Python "
        "(`pip install .` there, or `pipx inject mitmproxy .`)",
        error.name,
    )
    addons = []
else:
    addons = [WalletBridge()]
