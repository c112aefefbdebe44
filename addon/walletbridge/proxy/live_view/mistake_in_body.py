"""
Marks a mistake under the text of a body. Pure.
"""

import json
import re

_AROUND = 34
"""Characters shown on either side of the mistake."""
_AT_LINE = re.compile(r" at line (\d+) column (\d+)")
_AT_BYTE = re.compile(r"not UTF-8 at byte (\d+)")
_STEP = re.compile(r"\.([^.\[\]]+)|\[(\d+)\]|\[(\"(?:[^\"\\]|\\.)*\")\]")
_SPACE = re.compile(r"\s*")
_DECODER = json.JSONDecoder()


def show_place(body: bytes, path: str, reason: str) -> str:
    """
    Returns the part of `body` with the mistake, a mark under it, and the reason.

    `path` is the JSON path of the mistake. For invalid JSON, `reason` contains the line.
    """
    text = body.decode(errors="replace").removeprefix("\ufeff")
    place = _place(text, body, path, reason)
    line_start = text.rfind("\n", 0, place) + 1
    line_end = text.find("\n", place)
    begin = max(line_start, place - _AROUND)
    end = min(len(text) if line_end < 0 else line_end, place + _AROUND)
    before = "…" if begin > line_start else ""
    shown = before + _one_line(text[begin:end]) + ("…" if end < len(text) else "")
    return f"{shown}\n{' ' * (len(before) + place - begin)}^ {reason}"


def _place(text: str, body: bytes, path: str, reason: str) -> int:
    if at_byte := _AT_BYTE.search(reason):
        return len(body[: int(at_byte[1])].decode(errors="replace"))
    if at_line := _AT_LINE.search(reason):
        lines = text.split("\n")
        line = min(int(at_line[1]) - 1, len(lines) - 1)
        return min(sum(len(one) + 1 for one in lines[:line]) + int(at_line[2]) - 1, len(text))
    try:
        return _find(text, path)
    except (ValueError, IndexError, RecursionError):
        return 0


def _find(text: str, path: str) -> int:
    """Returns the start of the value at `path` or, if it is missing, of the innermost object that should have it."""
    place = _skip(text, 0)
    for key, index, quoted in _STEP.findall(path):
        inner = (
            _in_array(text, place, int(index)) if index else _in_object(text, place, json.loads(quoted or "0") or key)
        )
        if inner is None:
            break
        place = inner
    return place


def _in_object(text: str, place: int, wanted: str) -> int | None:
    """Returns the start of a key's last value: of a repeated key, the second value is the mistake."""
    found = None
    if text[place] != "{":
        return None
    place = _skip(text, place + 1)
    while text[place] == '"':
        key, place = _DECODER.raw_decode(text, place)
        place = _skip(text, _skip(text, place) + 1)
        found = place if key == wanted else found
        _, place = _DECODER.raw_decode(text, place)
        place = _skip(text, place)
        if text[place] == ",":
            place = _skip(text, place + 1)
    return found


def _in_array(text: str, place: int, wanted: int) -> int | None:
    if text[place] != "[":
        return None
    place = _skip(text, place + 1)
    for _ in range(wanted):
        _, place = _DECODER.raw_decode(text, place)
        place = _skip(text, _skip(text, place) + 1)
    return place


def _skip(text: str, place: int) -> int:
    blank = _SPACE.match(text, place)
    return blank.end() if blank else place


def _one_line(text: str) -> str:
    return "".join(letter if letter.isprintable() else " " for letter in text)
