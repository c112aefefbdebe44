"""
What `mitmproxy -s addon/main.py` loads.
"""

from walletbridge.addon import WalletBridge

addons = [WalletBridge()]
