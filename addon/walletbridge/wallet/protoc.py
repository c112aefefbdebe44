"""
Reads `.proto` files with the compiler that grpcio-tools brings.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from google.protobuf.descriptor_pb2 import FileDescriptorSet
from google.rpc import status_pb2

from walletbridge.wallet.schema import BadSchema, read_descriptor_set

COMPILE_SECONDS = 60
_COMMON = Path(status_pb2.__file__).parents[2]
"""Holds google/rpc and google/type as files; the compiler itself brings google/protobuf."""


def compile_protos(files: Sequence[Path], include: Sequence[Path]) -> FileDescriptorSet:
    """
    The files with all that they import. Each lies below a folder of `include`.

    Raises BadSchema with the compiler's own words, which name file, line and column.
    """
    names = [_name(file, include) for file in files]
    with tempfile.TemporaryDirectory(prefix="walletbridge-") as folder:
        output = Path(folder) / "protos.binpb"
        command = [sys.executable, "-m", "grpc_tools.protoc", "--include_imports", f"--descriptor_set_out={output}"]
        command += [f"--proto_path={path}" for path in [*include, _COMMON]]
        # Without what may be set for the gateway itself, such as its token.
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
            raise BadSchema("; ".join(line for line in done.stderr.splitlines() if "warning:" not in line))
        return read_descriptor_set(output.read_bytes())


def _name(file: Path, include: Sequence[Path]) -> str:
    """How protos import `file`: its path below the folder of `include` in which it lies."""
    if not file.is_file():
        raise BadSchema(f"{file}: there is no such file")
    for folder in include:
        if file.resolve().is_relative_to(folder.resolve()):
            return file.resolve().relative_to(folder.resolve()).as_posix()
    raise BadSchema(f"{file}: is in no folder of include ({', '.join(map(str, include))})")
