"""
What the commands show by rich: tables and the like. Apart from the rest, as rich takes its time to be imported.
"""

from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.segment import Segment

from walletbridge.observe.printable import printable_lines


class Printable:
    """What rich shows, with all text made printable once it is laid out. The styles are rich's own."""

    def __init__(self, shown: RenderableType) -> None:
        self._shown = shown

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """See rich."""
        for segment in console.render(self._shown, options):
            yield segment if segment.control else Segment(printable_lines(segment.text), segment.style)
