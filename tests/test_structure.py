"""The house keeps its shape: which way imports point, what stays out of the core, and where files may lie."""

import ast
import shutil
import subprocess
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ADDON = ROOT / "addon"
PACKAGE = ADDON / "walletbridge"
TESTS = ROOT / "tests"

SANS_IO = {"claims", "errors", "money", "strict_json", "fields", "callbacks", "outcomes", "answers"} | {
    "near_miss",
    "printable",
}
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

LEAVES = SANS_IO | {
    "ambiguity",
    "changes",
    "clock",
    "framing",
    "hiding",
    "lasting",
    "line_writer",
    "log_records",
    "logs",
    "metrics",
    "mitmproxy_versions",
    "otel",
    "peers",
    "printable_tables",
    "promises",
    "rotation",
    "settings",
    "shared",
    "small_files",
    "terminal",
    "tls_files",
    "tokens",
    "trace",
    "tracing",
    "turns",
    "wire",
}

LAYERS = [
    {"__main__"},
    {"cli"},
    {
        "addon",
        "check",
        "demo",
        "draft",
        "exchanges",
        "explain",
        "flows",
        "health",
        "recording",
        "serve",
        "shipped",
        "simulator",
        "surroundings",
        "ui",
    },
    {"bridge"},
    {"answering"},
    {"settlement"},
    {"durations", "gateway"},
    {"dispatch", "resolver"},
    {"transactions"},
    {"edits", "keeper"},
    {"checks", "consequences", "lanes", "needs"},
    {"questions"},
    {"journal", "status_cache", "wallet"},
    LEAVES,
]
"""From the top. A module imports from its own layer and from those below; it need not exist yet."""

HOMES = {
    "apsw": {"check", "demo", "journal", "ui"},
    "mitmproxy": {"addon", "exchanges", "flows", "framing", "recording", "serve", "ui", "wire"},
    "grpc": {"demo", "wallet"},
    "google.protobuf": {"demo", "wallet"},
    "opentelemetry": {"otel"},
    "prometheus_client": {"metrics", "serve"},
}
"""Where alone a dependency that shapes its users may be imported."""

TOP_LEVEL = {"CHANGELOG.md", "LICENSE", "README.md", "addon", "config", "protos", "pyproject.toml", "tests"}


def python_files(folder: Path) -> list[Path]:
    """All of `folder`'s modules but the generated ones."""
    return sorted(path for path in folder.rglob("*.py") if not path.stem.endswith("_pb2"))


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def unit_of(path: Path) -> str:
    """The module or package right below `walletbridge` to which `path` belongs; `__init__` for the package's own."""
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


def imports_of(path: Path) -> set[str]:
    package = path.parent.relative_to(ADDON if path.is_relative_to(ADDON) else ROOT).as_posix().replace("/", ".")
    return set(imports_in(ast.parse(path.read_bytes()), package))


def units_of(path: Path) -> set[str]:
    """The other units of the package from which `path` imports."""
    parts = [name.split(".") for name in imports_of(path)]
    units = {inner[0] for root, *inner in parts if root == "walletbridge" and inner}
    return {unit for unit in units & UNITS if unit != unit_of(path)}


MODULES = python_files(PACKAGE)
UNITS = {unit_of(path) for path in MODULES} - {"__init__"}
LAYER_OF = {unit: depth for depth, units in enumerate(LAYERS) for unit in units}

each_module = pytest.mark.parametrize("path", MODULES, ids=name_of)


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


@pytest.mark.parametrize("name", sorted(SANS_IO))
def test_the_core_does_no_io(name: str) -> None:
    path = PACKAGE / f"{name}.py"
    imported = imports_of(path)

    assert {found for found in imported if found.split(".")[0] in IO} == set()
    assert units_of(path) <= SANS_IO


@pytest.mark.parametrize("name", sorted(SANS_IO))
def test_the_core_waits_for_nothing(name: str) -> None:
    tree = ast.parse((PACKAGE / f"{name}.py").read_bytes())

    asynchronous = (ast.AsyncFunctionDef, ast.AsyncFor, ast.AsyncWith, ast.Await)
    assert [node.lineno for node in ast.walk(tree) if isinstance(node, asynchronous)] == []


@each_module
def test_a_dependency_stays_in_its_home(path: Path) -> None:
    away = [
        name
        for name in imports_of(path)
        for dependency, home in HOMES.items()
        if f"{name}.".startswith(f"{dependency}.") and unit_of(path) not in home
    ]

    assert away == []


def test_every_module_has_a_layer() -> None:
    assert UNITS - set(LAYER_OF) == set()
    assert sum(map(len, LAYERS)) == len(LAYER_OF)


@each_module
def test_imports_point_down(path: Path) -> None:
    depth = LAYER_OF.get(unit_of(path), 0)

    assert {unit for unit in units_of(path) if LAYER_OF.get(unit, depth) < depth} == set()


def test_imports_make_no_circle() -> None:
    imported: dict[str, set[str]] = {}
    for path in MODULES:
        imported.setdefault(unit_of(path), set()).update(units_of(path))

    TopologicalSorter(imported).prepare()


@pytest.mark.parametrize("path", [path for path in MODULES if path.stem not in {"__init__", "__main__"}], ids=name_of)
def test_every_module_has_its_own_test_file(path: Path) -> None:
    own = TESTS / path.relative_to(PACKAGE).with_name(f"test_{path.name}")

    assert own.is_file(), f"{name_of(own)} is missing"


@pytest.mark.parametrize("path", [path for path in python_files(ADDON) if "settings" not in path.parts], ids=name_of)
def test_nothing_is_made_a_float(path: Path) -> None:
    """Money never is, and seconds come from the settings."""
    calls = [node for node in ast.walk(ast.parse(path.read_bytes())) if isinstance(node, ast.Call)]

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
