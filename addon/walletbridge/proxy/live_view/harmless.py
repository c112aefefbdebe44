"""
Keeps errors of the live view away from the answer.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

logger = logging.getLogger(__name__)


@contextmanager
def harmless() -> Iterator[None]:
    """Logs and suppresses any exception inside."""
    try:
        yield
    except Exception as error:  # noqa: BLE001 - see above
        logger.warning("walletbridge: the live view failed: %s: %s", type(error).__name__, error)
