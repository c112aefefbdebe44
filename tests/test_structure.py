"""The house keeps its shape: which way imports point, what stays out of the core, and where files may lie."""

import ast
import re
import shutil
import subprocess
from collections.abc import Iterator
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ADDON = ROOT / "addon"
PACKAGE = ADDON / "walletbridge"
TESTS = ROOT / "tests"

SANS_IO = {"protocol", "rules"}
"""They turn values into values: what they say of money can be tested by tables alone."""

IO = {
    "apsw",
    "asyncio",
    "datetime",
    "google",
    "grpc",
    "logging",
    "mitmproxy",
    "os",
    "random",
    "socket",
    "sqlite3",
    "structlog",
    "threading",
    "time",
}

FLOORS = [
    {"__main__", "cli"},
    {"connect", "demo", "simulator"},
    {"serve"},
    {"proxy"},
    {"gateway"},
    {"transactions"},
    {"journal", "wallet"},
    {"observe"},
    {"rules", "settings"},
    {"protocol"},
]
"""The rooms from the top. A module imports from its own room and from rooms on floors below."""

HOMES = {
    "apsw": {"connect", "demo", "journal", "proxy"},
    "mitmproxy": {"proxy", "serve"},
    "grpc": {"connect", "demo", "wallet"},
    "google.protobuf": {"connect", "demo", "wallet"},
    "opentelemetry": {"observe"},
    "prometheus_client": {"observe", "serve"},
}
"""In which rooms alone a dependency that shapes its users may be imported."""

TOP_LEVEL = {"CHANGELOG.md", "LICENSE", "README.md", "addon", "config", "protos", "pyproject.toml", "tests"}


def python_files(folder: Path) -> list[Path]:
    """All of `folder`'s modules but the generated ones."""
    return sorted(path for path in folder.rglob("*.py") if not path.stem.endswith("_pb2"))


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def room_of(path: Path) -> str:
    """The room to which `path` belongs: a folder right below `walletbridge`, or a module that stands there alone."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imports_in(tree: ast.AST, package: str) -> Iterator[str]:
    """
    The full name of everything that a module of `package` imports, wherever in it the import stands.

    `from a import b` is `a.b`, as b may be a module.
    """
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            parts = package.split(".")
            above = parts[: len(parts) - node.level + 1] if node.level else []
            origin = ".".join([*above, *([node.module] if node.module else [])])
            yield from (f"{origin}.{alias.name}" for alias in node.names)


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_bytes())


@cache
def imports_of(path: Path) -> set[str]:
    package = path.parent.relative_to(ADDON if path.is_relative_to(ADDON) else ROOT).as_posix().replace("/", ".")
    return set(imports_in(tree_of(path), package))


def rooms_of(path: Path) -> set[str]:
    """The other rooms from which `path` imports."""
    parts = [name.split(".") for name in imports_of(path)]
    rooms = {inner[0] for root, *inner in parts if root == "walletbridge" and inner}
    return {room for room in rooms & ROOMS if room != room_of(path)}


MODULES = python_files(PACKAGE)
ROOMS = {room_of(path) for path in MODULES} - {"__init__"}
FLOOR_OF = {room: floor for floor, rooms in enumerate(FLOORS) for room in rooms}

each_module = pytest.mark.parametrize("path", MODULES, ids=name_of)
each_of_the_core = pytest.mark.parametrize("path", [path for path in MODULES if room_of(path) in SANS_IO], ids=name_of)


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("import a.b, c as d", {"a.b", "c"}),
        ("from a import b as c", {"a.b"}),
        ("from a.b import c, d", {"a.b.c", "a.b.d"}),
        ("from . import b", {"here.inner.b"}),
        ("from .b import c", {"here.inner.b.c"}),
        ("from ..b import c", {"here.b.c"}),
        ("def late():\n    if True:\n        import a", {"a"}),
    ],
)
def test_imports_are_found_in_every_form(source: str, names: set[str]) -> None:
    assert set(imports_in(ast.parse(source), "here.inner")) == names


@each_of_the_core
def test_the_core_does_no_io(path: Path) -> None:
    assert {name for name in imports_of(path) if name.split(".")[0] in IO} == set()


@each_of_the_core
def test_the_core_waits_for_nothing(path: Path) -> None:
    asynchronous = (ast.AsyncFunctionDef, ast.AsyncFor, ast.AsyncWith, ast.Await)

    assert [node.lineno for node in ast.walk(tree_of(path)) if isinstance(node, asynchronous)] == []


@each_module
def test_a_dependency_stays_in_its_home(path: Path) -> None:
    away = [
        name
        for name in imports_of(path)
        for dependency, home in HOMES.items()
        if f"{name}.".startswith(f"{dependency}.") and room_of(path) not in home
    ]

    assert away == []


def test_every_room_has_its_floor() -> None:
    assert ROOMS - set(FLOOR_OF) == set()
    assert sum(map(len, FLOORS)) == len(FLOOR_OF)


@each_module
def test_imports_point_down(path: Path) -> None:
    floor = FLOOR_OF.get(room_of(path), 0)

    assert {room for room in rooms_of(path) if FLOOR_OF.get(room, floor) < floor} == set()


def test_the_house_stays_small() -> None:
    assert len(ROOMS - {"__main__"}) <= 14
    assert len(FLOORS) <= 10


def test_imports_make_no_circle() -> None:
    imported: dict[str, set[str]] = {}
    for path in MODULES:
        imported.setdefault(room_of(path), set()).update(rooms_of(path))

    TopologicalSorter(imported).prepare()


@pytest.mark.parametrize("path", [path for path in MODULES if path.stem not in {"__init__", "__main__"}], ids=name_of)
def test_every_module_has_its_own_test_file(path: Path) -> None:
    own = TESTS / "unit" / path.relative_to(PACKAGE).with_name(f"test_{path.name}")

    assert own.is_file(), f"{name_of(own)} is missing"


@pytest.mark.parametrize("path", [path for path in python_files(ADDON) if "settings" not in path.parts], ids=name_of)
def test_nothing_is_made_a_float(path: Path) -> None:
    """Money never is, and seconds come from the settings."""
    calls = [node for node in ast.walk(tree_of(path)) if isinstance(node, ast.Call)]

    assert [call.lineno for call in calls if isinstance(call.func, ast.Name) and call.func.id == "float"] == []


@pytest.mark.parametrize("path", python_files(TESTS), ids=name_of)
def test_fakes_are_written_by_hand(path: Path) -> None:
    assert {name for name in imports_of(path) if name.split(".")[0] in {"mock", "unittest"}} == set()


def tracked_files() -> list[str]:
    """What git tracks; nothing where this is no checkout."""
    git = shutil.which("git")
    if git is None:
        return []
    listed = subprocess.run([git, "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False)
    return listed.stdout.splitlines()


def test_the_top_level_holds_what_is_documented_and_nothing_else() -> None:
    entries = {name.split("/")[0] for name in tracked_files()}

    assert {entry for entry in entries if not entry.startswith(".")} - TOP_LEVEL == set()


def test_the_map_names_files_that_exist() -> None:
    text = (ADDON / "ARCHITECTURE.md").read_text()
    named = set(re.findall(r"`([a-z_]+/[a-z_/]*(?:\.py)?)`", text))

    assert {name for name in named if not ((PACKAGE / name).exists() or (ROOT / name).exists())} == set()
    assert {room for room in ROOMS if room not in text} == {"__main__"}
    assert {name for name in named if name.endswith(".py")} >= {"rules/before_call.py", "rules/after_call.py"}
