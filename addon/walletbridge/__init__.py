"""
A mitmproxy addon that answers game providers' HTTP callbacks from an operator's gRPC wallet.
"""
