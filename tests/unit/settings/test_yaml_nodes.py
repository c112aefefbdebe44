"""Settings files that are no YAML, or YAML of a kind that no setting takes."""

from pathlib import Path

import pytest
from tests.unit.settings.files import mistakes_in

UNREADABLE = "1:1: not YAML: its version is unknown, or it is nested too deeply"


@pytest.mark.parametrize(
    ("text", "refusal"),
    [
        ("listen: [a", "1:11: not YAML: while parsing a flow sequence, expected ',' or ']', but got '<stream end>'"),
        ("listen: a: b\n", "1:10: not YAML: mapping values are not allowed here"),
        (
            "wallet:\n\ttarget: w\n",
            "2:1: not YAML: while scanning for the next token, found character '\\t' that cannot start any token",
        ),
        # An IPv6 address wants quotes.
        (
            "# a comment\nlisten: [::1]:8080\n",
            "2:14: not YAML: while parsing a block mapping, expected <block end>, but found '<scalar>'",
        ),
        ("a: 1\n---\na: 2\n", "2:1: not YAML: expected a single document in the stream, but found another document"),
        ("listen: a\nui: \x01\n", "2:5: not YAML: found a character that YAML does not allow"),
        ("\x01", "1:1: not YAML: found a character that YAML does not allow"),
        ("%YAML 9.0\n---\na: 1\n", "1:1: not YAML: found incompatible YAML document (version 1.* is required)"),
        ("%YAML 1.5\n---\na: 1\n", UNREADABLE),
        ("a:\n%YAML 9.0\nb: 1\n", UNREADABLE),
        (f"listen: {'[' * 500}", UNREADABLE),
    ],
)
def test_what_is_no_yaml_is_refused_with_its_place(tmp_path: Path, text: str, refusal: str) -> None:
    assert mistakes_in(tmp_path, text) == [refusal]


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("8080", "8080"),
        ("0x1F", "0x1F"),
        ("-.inf", "-.inf"),
        ("yes", '"yes"'),
        ("true", "true"),
        ("'true'", '"true"'),
        ("2001-01-01", '"2001-01-01"'),
        ("2001-99-99", '"2001-99-99"'),
        ("", "nothing"),
        ("null", "nothing"),
        ("''", '""'),
        ('"\\e[31m\\n"', '"\\u001b[31m\\n"'),
        ("[a, b]", "a list"),
        ("{a: b}", "keys and values"),
        ("&a [*a]", "a list"),
        ("x" * 61, f'"{"x" * 60}"...'),
        ("9" * 5000, f"{'9' * 60}..."),
        # Tags that claim what the value is not.
        ("!!int abc", "abc"),
        ("!!int ''", '""'),
        ('!!int "\\e[31m"', '"\\u001b[31m"'),
        ("!!bool perhaps", "perhaps"),
        ("!!float ''", '""'),
        ("!!binary eA==", '"eA=="'),
        ("!mine 127.0.0.1:80", '"127.0.0.1:80"'),
        ("!!set {a, b}", "keys and values"),
        ("http://user:password@host", "a text with an @, which is not shown: it may hold a password"),
    ],
)
def test_the_value_found_is_shown_as_it_stands_in_the_file(tmp_path: Path, value: str, found: str) -> None:
    text = f"wallet: {{target: w}}\nlisten: {value}\n"

    assert mistakes_in(tmp_path, text) == [f"2: listen: expected HOST:PORT, such as 127.0.0.1:8080, got {found}"]
