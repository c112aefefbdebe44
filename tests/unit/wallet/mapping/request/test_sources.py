"""What of a callback the mapping can name."""

import pytest
from tests.support.mappings import callback, undo

from walletbridge.protocol.callbacks import Command
from walletbridge.wallet.mapping.request.sources import OF_THE_JOURNAL, SOURCES, Role


@pytest.mark.parametrize("command", Command)
def test_each_source_is_there_in_the_callbacks_for_which_it_is_named(command: Command) -> None:
    sample = callback(command)
    named = {name for name, source in SOURCES.items() if Role(command) in source.roles} - OF_THE_JOURNAL

    assert [name for name in sorted(named) if not hasattr(sample, SOURCES[name].attribute)] == []


def test_an_undo_has_all_that_is_named_for_it() -> None:
    named = {name for name, source in SOURCES.items() if Role.UNDO in source.roles}

    assert [name for name in sorted(named) if not hasattr(undo(), SOURCES[name].attribute)] == []
    assert named >= OF_THE_JOURNAL


def test_a_look_up_knows_the_account_alone() -> None:
    assert {name for name, source in SOURCES.items() if Role.LOOKUP in source.roles} == {"account"}
