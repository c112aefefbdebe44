"""
Makes rich's tables and the like safe to show. In its own module because importing rich is slow.
"""

from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.segment import Segment

from walletbridge.observe.printable import printable_lines


class Printable:
    """A renderable of rich whose text is made printable after its layout. The styles are rich's own."""

    def __init__(self, shown: RenderableType) -> None:
        self._shown = shown

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Yields the segments, with printable text. rich calls it."""
        for segment in console.render(self._shown, options):
            yield segment if segment.control else Segment(printable_lines(segment.text), segment.style)
