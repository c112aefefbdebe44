"""
What happened to one transaction, from all logs of a run, in order.
"""

import json
from collections.abc import Iterator
from pathlib import Path

from tests.money.faults.processes import Line, parse, seconds_of


def write_trace(folder: Path, key: str) -> Path:
    """Writes `trace-KEY.txt` into the folder of a run."""
    found = sorted(_lines(folder, key), key=lambda pair: pair[0])
    path = folder / f"trace-{key}.txt"
    path.write_text("".join(f"{at:.3f} {text}\n" for at, text in found))
    return path


def _lines(folder: Path, key: str) -> Iterator[tuple[float, str]]:
    for log in sorted(folder.glob("*.log")):
        at = 0.0
        for text in log.read_text(errors="replace").splitlines():
            line = parse(text)
            at = seconds_of(line) or at
            if line.get("event") == "START" or str(line.get("trans_id", line.get("account"))) == key:
                yield at, f"{log.stem:10} {_words(line)}"


def _words(line: Line) -> str:
    return json.dumps({name: value for name, value in line.items() if name not in {"timestamp", "level"}})
