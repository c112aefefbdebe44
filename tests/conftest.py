"""What holds for every test."""

import os

# gRPC writes lines of its own to stderr. It reads this once, at its import, and a test's helper may be the first.
os.environ.setdefault("GRPC_VERBOSITY", "ERROR")
