"""
Checks that the parts of a mapping file, each right by itself, fit together.
"""

from collections.abc import Iterator, Mapping

from walletbridge.protocol.checks import OF_PLAYER, Check
from walletbridge.protocol.outcomes import Result
from walletbridge.rules.promises import Promises, Repeats
from walletbridge.settings.mistakes import Mistake
from walletbridge.wallet.mapping.bindings import Binding, Lookup
from walletbridge.wallet.mapping.bound_wallet import UNDO_BET, UNDO_WIN
from walletbridge.wallet.mapping.request.sources import OF_THE_JOURNAL

_MOVEMENTS = ("bet", "win")
COMES_TO = {
    Check.PLAYER_EXISTS: ("authenticate", "balance", "bet", "win"),
    Check.PLAYER_ACTIVE: ("balance", "bet"),
    Check.BALANCE_SUFFICIENT: ("bet",),
    Check.NOT_PROCESSED: ("bet", "win"),
    Check.TRANSACTION_EXISTS: ("cancel", "status"),
}
"""By check: the commands that must come to it, if the wallet makes the check."""


def breaches(bindings: Mapping[str, Binding], promises: Promises, decimals: int) -> Iterator[Mistake]:
    """Yields each mistake, with its line."""
    for name, binding in bindings.items():
        for problem in _of_request(name, binding, promises, decimals):
            yield _at(name, binding, problem)
        if Result.OK not in _results(binding):
            yield _at(name, binding, "no rule comes to 0: it could never succeed")
    for check, commands in COMES_TO.items():
        for name in commands:
            if check in promises.checks and name in bindings and Result(check) not in _results(bindings[name]):
                problem = f"promises.checks says that the wallet makes check {check}, but no rule comes to {check}"
                yield _at(name, bindings[name], problem)
    for undo, undone in ((UNDO_BET, "bet"), (UNDO_WIN, "win")):
        if undo in bindings and undone in bindings:
            yield from _of_keys(undo, bindings[undo], bindings[undone], promises)


def makes_up_cancels(bindings: Mapping[str, Binding]) -> bool:
    """Whether a cancel needs data of the reversed movement that only the journal has."""
    return "cancel" not in bindings or bool(bindings["cancel"].method.used & OF_THE_JOURNAL)


def checks_of(lookup: Lookup) -> frozenset[int]:
    """Which of the checks 21 and 22 a look-up makes."""
    found = {verdict.value for verdict in lookup.method.outcome.named() if isinstance(verdict, Result)}
    return frozenset(found & OF_PLAYER)


def _of_request(name: str, binding: Binding, promises: Promises, decimals: int) -> Iterator[str]:
    used = binding.method.used
    needed = []
    if binding.lookup is None:
        needed.append("account")
    if name in {*_MOVEMENTS, UNDO_BET, UNDO_WIN}:
        needed.append("amount")
        if promises.repeats is not Repeats.UNPROTECTED:
            needed.append("trans_id")
    if name in {"cancel", "status"}:
        needed.append("trans_id")
    for source in needed:
        if source not in used:
            yield f"nothing in the request or its metadata is the {source}"
    if ("amount:units" in used and decimals and "amount:nanos" not in used) or (
        "amount:nanos" in used and "amount:units" not in used
    ):
        yield "units without nanos, or nanos without units, say only a part of the amount"


def _of_keys(name: str, undo: Binding, movement: Binding, promises: Promises) -> Iterator[Mistake]:
    keys = undo.method.keys
    if promises.repeats is not Repeats.UNPROTECTED and keys and keys <= movement.method.keys:
        problem = f"its keys ({', '.join(sorted(keys))}) are those of what it undoes: the wallet would see a repeat"
        yield _at(name, undo, problem)


def _results(binding: Binding) -> set[object]:
    lookup = set() if binding.lookup is None else checks_of(binding.lookup)
    return {*binding.method.outcome.named(), *map(Result, lookup)}


def _at(name: str, binding: Binding, problem: str) -> Mistake:
    section = f"commands.cancel.{name}" if name in {UNDO_BET, UNDO_WIN} else f"commands.{name}"
    return Mistake(binding.method.place.line, section, problem)
