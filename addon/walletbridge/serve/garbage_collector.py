"""
Makes Python's full garbage collections rarer: every answer waits during one.

Python starts one when enough new objects have survived, to find unused reference cycles. While a crowd connects, many
objects survive and there is nothing to find: a connection that brought callbacks leaves no cycle. Connections that
mitmproxy carried do, so full collections are rare instead of off. The objects of the start are excluded once the
gateway is up.
"""

import gc

FULL_AFTER = 25
"""
Collections of younger objects before a full one. With Python's own thresholds that is some hundred thousand surviving
objects, some tens of megabytes, all of which may be garbage.
"""


def be_patient() -> None:
    """Sets FULL_AFTER for the whole process."""
    young, middle, _ = gc.get_threshold()
    gc.set_threshold(young, middle, FULL_AFTER)
