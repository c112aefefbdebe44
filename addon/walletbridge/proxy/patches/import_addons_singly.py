"""
Keeps out of a server what it never uses: as soon as one of mitmproxy's addons is imported, its package imports all of
them, and with them a web framework, an LDAP client and more. To start takes a third less without.

No documented way imports one alone: the package is known beforehand, without what it does at its import. Its version is
bounded.
"""

import sys
from importlib.util import find_spec, module_from_spec

PACKAGE = "mitmproxy.addons"


def import_addons_singly() -> None:
    """From here on, for the whole process. Where the package was imported already nothing is done."""
    spec = None if PACKAGE in sys.modules else find_spec(PACKAGE)
    if spec is not None:
        sys.modules[PACKAGE] = module_from_spec(spec)
