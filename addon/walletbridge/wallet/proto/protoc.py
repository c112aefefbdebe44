"""
Reads `.proto` files with the compiler of grpcio-tools.
"""

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from google.protobuf.descriptor_pb2 import FileDescriptorSet
from google.rpc import status_pb2

from walletbridge.settings.small_files import read_small
from walletbridge.wallet.proto.schema import BadSchema, read_descriptor_set

COMPILE_SECONDS = 60
PROTO_BYTES_MAX = 4 << 20
"""Limits each file that the mapping names; COMPILE_SECONDS bounds its imports."""
_NOT_A_FILE = ("-", "@")
"""Begin an option of the compiler, and a file of options. No marker ends the options."""
_ASIDE = re.compile(r"warning:|^WARNING: |^[IW][0-9]{4} ", re.ASCII)
"""Warnings of the compiler, and log lines of the library beneath it."""
_TAKEN_IN_FOLDERS = frozenset({os.pathsep, "="})
"""The compiler splits a folder's name at these: into two folders, or into a virtual path and a folder."""
_COMMON = Path(status_pb2.__file__).parents[2]
"""Holds google/rpc and google/type as files; the compiler itself brings google/protobuf."""


def compile_protos(files: Sequence[Path], include: Sequence[Path]) -> FileDescriptorSet:
    """
    Compiles the files with all their imports. Each file lies below a folder of `include`.

    Raises BadSchema with the compiler's own words, which name file, line and column.
    """
    names = [_name(file, include) for file in files]
    for root in include:
        if taken := _TAKEN_IN_FOLDERS.intersection(str(root)):
            raise BadSchema(f"{root}: the compiler takes no folder with {' or '.join(sorted(taken))} in its name")
    with tempfile.TemporaryDirectory(prefix="walletbridge-") as folder:
        output = Path(folder) / "protos.binpb"
        command = [sys.executable, "-m", "grpc_tools.protoc", "--include_imports", f"--descriptor_set_out={output}"]
        command += [f"--proto_path={path}" for path in [*include, _COMMON]]
        # Leaves out the gateway's own variables, such as its token.
        environment = {name: os.environ[name] for name in ("PATH", "PYTHONPATH", "VIRTUAL_ENV") if name in os.environ}
        try:
            done = subprocess.run(  # noqa: S603 - our own interpreter, with paths from the operator's own file
                [*command, *names],
                capture_output=True,
                check=False,
                env=environment,
                errors="replace",
                text=True,
                timeout=COMPILE_SECONDS,
            )
        except subprocess.TimeoutExpired:
            raise BadSchema(f"the compiler did not end within {COMPILE_SECONDS} s") from None
        if done.returncode:
            raise BadSchema("; ".join(line for line in done.stderr.splitlines() if not _ASIDE.search(line)))
        return read_descriptor_set(output.read_bytes())


def _name(file: Path, include: Sequence[Path]) -> str:
    """How protos import `file`: by its path below its folder of `include`. Raises BadSchema."""
    try:
        read_small(file, bytes_max=PROTO_BYTES_MAX)
    except FileNotFoundError:
        raise BadSchema(f"{file}: there is no such file") from None
    except OSError as error:
        raise BadSchema(f"{file}: cannot be read: {error.strerror}") from None
    for folder in include:
        if file.resolve().is_relative_to(folder.resolve()):
            name = file.resolve().relative_to(folder.resolve()).as_posix()
            if name.startswith(_NOT_A_FILE):
                raise BadSchema(f"{file}: the compiler takes no file whose name begins with {name[0]}; rename it")
            return name
    raise BadSchema(f"{file}: is in no folder of include ({', '.join(map(str, include))})")
