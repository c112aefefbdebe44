"""
`python -m walletbridge` is the same as `walletbridge`.
"""

from walletbridge.cli import main

main()
