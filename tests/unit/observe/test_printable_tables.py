"""Tables of rich: their styles and no others."""

import io

from rich.console import Console
from rich.table import Table

from walletbridge.observe.printable_tables import Printable

ESCAPES = "\x1b[2J\u202e"


def test_what_rich_shows_keeps_its_styles_and_nothing_else() -> None:
    table = Table("account")
    table.add_row(f"a{ESCAPES}b", style="bold")
    stream = io.StringIO()
    Console(file=stream, width=80, force_terminal=True, color_system="standard").print(Printable(table))

    assert "\u202e" not in stream.getvalue()
    assert "\x1b[2J" not in stream.getvalue()
    assert "\x1b[1m" in stream.getvalue()
