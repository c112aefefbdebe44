"""
The script that `mitmproxy -s addon/main.py` loads.
"""

import logging

try:
    from walletbridge.proxy.addon import WalletBridge
except ModuleNotFoundError as error:
    # Logging an error ends a mitmproxy that is starting. mitmproxy runs in its own Python, which may lack a package.
    logging.getLogger(__name__).error(  # noqa: TRY400 - the message needs no traceback
        "walletbridge: the package %s is missing; install walletbridge into mitmproxy's own Python "
        "(`pip install .` there, or `pipx inject mitmproxy .`)",
        error.name,
    )
    addons = []
else:
    addons = [WalletBridge()]
