"""
How often Python's garbage collector goes through all that there is: every answer waits meanwhile.

Python does so once enough has come that stays, in case it holds circles of references that nobody needs any more. While
a crowd connects much comes that stays, and there is nothing to be found: a connection that brought callbacks leaves no
circle. But those that mitmproxy carried do, and so the collector is patient rather than off. What there is at the start
for good it never sees; that is left out of it once the gateway is up.
"""

import gc

FULL_AFTER = 25
"""
How many rounds through what came lately go before one through everything. With Python's own figures for a round that
are some hundred thousand objects that came to stay, some tens of megabytes, of which all may be garbage.
"""


def be_patient() -> None:
    """For the whole process."""
    young, middle, _ = gc.get_threshold()
    gc.set_threshold(young, middle, FULL_AFTER)
