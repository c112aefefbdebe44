"""
The files that come with the package for users: the sample settings, examples, guides, protos, and the file that
`mitmproxy -s` loads. A wheel carries them inside the package; a checkout keeps them in the project's folders.
"""

import shutil
from pathlib import Path

import click

_PACKAGE = Path(__file__).parents[1]
_IN_WHEEL = _PACKAGE / "shipped"
_CHECKOUT = _PACKAGE.parents[1]
_FOLDERS = ("config", "protos")
_AUTHORITIES = ("protocol/PROTOCOL.md", "rules/RULES.md")
"""Pages of the package that the guides link to. `examples` writes them to the paths that they have in a checkout."""
_PACKAGE_IN_CHECKOUT = "addon/walletbridge"


def find(name: str) -> Path:
    """The path of a shipped file or folder, such as `config/walletbridge.yaml`. Raises FileNotFoundError."""
    for root in (_CHECKOUT, _IN_WHEEL):
        # A folder above an installed package may hold a foreign `config`: only a checkout has this file.
        if root == _IN_WHEEL or (root / "addon" / "main.py").is_file():
            path = root / name
            if path.exists():
                return path
    raise FileNotFoundError(f"{name} is not part of this installation of walletbridge")


@click.command()
def settings() -> None:
    """Print the sample settings: every key with its default and its meaning."""
    click.echo(find("config/walletbridge.yaml").read_text(encoding="utf-8"), nl=False)


@click.command()
@click.argument("folder", required=False, type=click.Path(path_type=Path))
def examples(folder: Path | None) -> None:
    """
    Write the sample settings, mappings, protos, guides, PROTOCOL.md, RULES.md and service files into a new FOLDER;
    without FOLDER, list them.
    """
    if folder is None:
        for name in _FOLDERS:
            root = find(name)
            for path in sorted(path for path in root.rglob("*") if path.is_file()):
                click.echo(f"{name}/{path.relative_to(root).as_posix()}")
        for name in _AUTHORITIES:
            click.echo(f"{_PACKAGE_IN_CHECKOUT}/{name}")
        return
    try:
        folder.mkdir(parents=True)
        for name in _FOLDERS:
            shutil.copytree(find(name), folder / name)
        for name in _AUTHORITIES:
            written = folder / _PACKAGE_IN_CHECKOUT / name
            written.parent.mkdir(parents=True)
            shutil.copy(_PACKAGE / name, written)
    except FileExistsError:
        raise click.ClickException(f"{folder} is there already; name a folder that is not") from None
    except OSError as error:
        raise click.ClickException(f"{folder}: {error.strerror or error}") from None
    click.echo(f"written: {folder}")


@click.command()
def addon() -> None:
    """Print the path of the file that mitmproxy's option -s takes."""
    click.echo(find("addon/main.py"))
