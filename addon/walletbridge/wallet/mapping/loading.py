"""
Reads a mapping file and the protos that it names. Finds all mistakes at once, each with its line.
"""

import os
import time
from collections.abc import Callable, Mapping
from importlib.resources import as_file, files
from pathlib import Path

from google.protobuf.descriptor_pb2 import FileDescriptorSet

from walletbridge.protocol.checks import Check
from walletbridge.protocol.errors import SettingsError
from walletbridge.rules.promises import Promises, Repeats
from walletbridge.settings import Wallet as WalletSettings
from walletbridge.settings import yaml_nodes
from walletbridge.settings.small_files import read_small
from walletbridge.wallet.mapping.bindings import Binding, House, compile_binding, compile_lookup
from walletbridge.wallet.mapping.bound_wallet import UNDO_BET, UNDO_WIN, BoundWallet
from walletbridge.wallet.mapping.consistency import breaches, checks_of, makes_up_cancels
from walletbridge.wallet.mapping.request.sources import SOURCES, Role
from walletbridge.wallet.mapping.yaml_places import Notes, Place, Wrong, unknown_name
from walletbridge.wallet.proto.protoc import compile_protos
from walletbridge.wallet.proto.reflection import ask_for_protos
from walletbridge.wallet.proto.schema import BadSchema, Schema, read_descriptor_set

BUILT_IN = "wallet.v1"
SECTIONS = ("schema", "service", "metadata", "tables", "lookups", "promises", "commands")
COMMANDS = ("authenticate", "balance", "bet", "win", "cancel", "status")
PROMISES = ("late_bets_refused", "repeats", "checks", "checks_balance_first", "cancels_repeat_safely")
SOURCES_OF_SCHEMA = ("proto", "descriptor_set", "reflection")
OF_THE_JOURNAL = "journal"
DESCRIPTORS_BYTES_MAX = 16 << 20
"""Limits a descriptor set, which a program writes."""
_TAKEN = frozenset({*SOURCES, "now", "env", "settings"})


def load(
    settings: WalletSettings,
    *,
    environ: Mapping[str, str] = os.environ,
    now: Callable[[], int] = time.time_ns,
) -> BoundWallet:
    """
    The wallet as `settings.mapping` binds it, or wallet.v1 where it names no file. `reflection` asks the wallet.

    Raises SettingsError, one line per mistake: `FILE:LINE: PATH: what is wrong, and the nearest right name`.
    """
    if settings.mapping is not None:
        return read(settings.mapping, settings, environ=environ, now=now)
    with as_file(files("walletbridge.wallet.v1")) as folder:
        return read(folder / "mapping.yaml", settings, environ=environ, now=now, name=BUILT_IN)


def read(
    path: Path,
    settings: WalletSettings,
    *,
    environ: Mapping[str, str],
    now: Callable[[], int],
    name: str = "",
) -> BoundWallet:
    """Reads one file; see `load`."""
    try:
        root = yaml_nodes.parse(read_small(path).decode("utf-8-sig"))
    except OSError as error:
        raise SettingsError(f"wallet.mapping: {path} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise SettingsError(f"{path}: not UTF-8 at byte {error.start}") from None
    except yaml_nodes.NotYaml as error:
        raise SettingsError(f"{path}:{error}") from None
    if root is None:
        raise SettingsError(f"{path}:1: expected keys and values ({', '.join(SECTIONS)}), got nothing")
    notes = Notes()
    reader = _Reader(path, settings, notes, environ, now)
    bound: BoundWallet | None = None
    with notes.noting():
        bound = reader.wallet(Place(root, "", 1, notes), name or str(path))
    if notes.mistakes or bound is None:
        raise SettingsError("\n".join(f"{path}:{mistake}" for mistake in notes.mistakes))
    return bound


class _Reader:
    """Reads one file."""

    def __init__(
        self,
        path: Path,
        settings: WalletSettings,
        notes: Notes,
        environ: Mapping[str, str],
        now: Callable[[], int],
    ) -> None:
        self._folder = path.absolute().parent
        self._settings = settings
        self._notes = notes
        self._environ = environ
        self._now = now

    def wallet(self, root: Place, source: str) -> BoundWallet:
        """Reads the file. Raises Wrong where the rest cannot be read; notes all other mistakes."""
        keys = root.keys(SECTIONS, required=["schema", "promises", "commands"])
        schema = self._schema(keys["schema"], keys)
        house = House(
            schema=schema,
            service=self._service(keys.get("service"), schema),
            metadata=keys["metadata"].entries() if "metadata" in keys else {},
            tables=self._tables(keys.get("tables")),
            decimals=self._settings.currency_decimals,
            environ=self._environ,
            now=self._now,
        )
        for name, place in keys["lookups"].entries().items() if "lookups" in keys else ():
            with self._notes.noting():
                if name in _TAKEN or not name.isidentifier():
                    raise place.wrong(f"expected a name that is none of {', '.join(sorted(_TAKEN))}")
                house.lookups[name] = compile_lookup(name, place, house)
        bindings = self._commands(keys["commands"], house)
        promises = self._promises(keys["promises"], bindings)
        if not self._notes.mistakes:
            self._tell_of_lookups(house, bindings, keys)
            for breach in breaches(bindings, promises, house.decimals):
                with self._notes.noting():
                    raise Wrong(breach)
        return BoundWallet(
            source=source,
            bindings=bindings,
            lookups=house.lookups,
            promises=promises,
            cautions=self._notes.cautions,
        )

    def _schema(self, place: Place, root: Mapping[str, Place]) -> Schema:
        keys = place.keys([*SOURCES_OF_SCHEMA, "include"])
        given = [name for name in SOURCES_OF_SCHEMA if name in keys]
        if len(given) != 1:
            raise place.wrong(f"expected one of {', '.join(SOURCES_OF_SCHEMA)}, got {' and '.join(given) or 'none'}")
        if "include" in keys and given != ["proto"]:
            raise keys["include"].wrong("goes with proto alone")
        source = keys[given[0]]
        try:
            return Schema(self._protos(source, given[0], keys, root))
        except BadSchema as bad:
            raise source.wrong(str(bad)) from None

    def _protos(
        self, source: Place, kind: str, keys: Mapping[str, Place], root: Mapping[str, Place]
    ) -> FileDescriptorSet:
        match kind:
            case "proto":
                include = [self._folder]
                if "include" in keys:
                    include = [self._folder / item.text() for item in keys["include"].items_or_one()]
                names = [item.text() for item in source.items_or_one()]
                return compile_protos([_found_in(name, [self._folder, *include]) for name in names], include)
            case "descriptor_set":
                path = self._folder / source.text()
                try:
                    return read_descriptor_set(read_small(path, bytes_max=DESCRIPTORS_BYTES_MAX))
                except OSError as error:
                    raise source.wrong(f"{path} cannot be read: {error.strerror}") from None
        if not source.boolean():
            raise source.wrong("expected true, or another source of the protos")
        return ask_for_protos(self._settings, [root["service"].text()] if "service" in root else [])

    def _service(self, place: Place | None, schema: Schema) -> str:
        if place is None:
            return ""
        if place.text() not in schema.services:
            raise place.wrong(f"the service {unknown_name(place.text(), list(schema.services), 'expected one of')}")
        return place.text()

    def _tables(self, place: Place | None) -> dict[str, dict[str, Place]]:
        return {} if place is None else {name: table.entries() for name, table in place.entries().items()}

    def _commands(self, place: Place, house: House) -> dict[str, Binding]:
        bindings: dict[str, Binding] = {}
        commands = place.keys(COMMANDS)
        with self._notes.noting():
            missing = [name for name in COMMANDS if name not in commands]
            if missing:
                raise place.wrong(f"lacks {', '.join(missing)}: each of the six commands needs a method")
        for name, command in commands.items():
            with self._notes.noting():
                if name == "status" and not command.is_mapping and command.text() == OF_THE_JOURNAL:
                    continue
                if name == "cancel" and command.is_mapping and command.entries().keys() & {UNDO_BET, UNDO_WIN}:
                    for undo, inner in command.keys([UNDO_BET, UNDO_WIN], required=[UNDO_BET, UNDO_WIN]).items():
                        with self._notes.noting():
                            bindings[undo] = compile_binding(inner, Role.UNDO, house)
                    continue
                bindings[name] = compile_binding(command, Role(name), house)
        return bindings

    def _promises(self, place: Place, bindings: Mapping[str, Binding]) -> Promises:
        keys = place.keys(PROMISES, required=PROMISES[:3])
        checks = set()
        for item in keys["checks"].items():
            with self._notes.noting():
                check = item.whole(0, 99)
                if check not in Check:
                    raise item.wrong(f"expected one of {', '.join(map(str, Check))}")
                checks.add(check)
        used = [binding.lookup for binding in bindings.values() if binding.lookup is not None]
        return Promises(
            late_bets_refused=keys["late_bets_refused"].boolean()
            if self._settings.late_bets_refused is None
            else self._settings.late_bets_refused,
            repeats=Repeats(keys["repeats"].choice(list(Repeats))),
            checks=frozenset(checks).union(*map(checks_of, used)),
            checks_balance_first="checks_balance_first" in keys and keys["checks_balance_first"].boolean(),
            has_cancel=not makes_up_cancels(bindings),
            has_status="status" in bindings,
            cancels_repeat_safely="cancels_repeat_safely" not in keys or keys["cancels_repeat_safely"].boolean(),
        )

    def _tell_of_lookups(self, house: House, bindings: Mapping[str, Binding], keys: Mapping[str, Place]) -> None:
        used = {binding.lookup.name for binding in bindings.values() if binding.lookup is not None}
        for name in house.lookups.keys() - used:
            keys["lookups"].entries()[name].caution("no command uses this look-up")
        for name in used:
            lookup = house.lookups[name]
            if Check.PLAYER_ACTIVE in checks_of(lookup) and lookup.cache_seconds:
                keys["lookups"].entries()[name].caution(
                    f"its answers are kept for {lookup.cache_seconds} s, so a player who is blocked is refused that "
                    "much later at most (cache.seconds; 0 asks each time)"
                )


def _found_in(name: str, folders: list[Path]) -> Path:
    """The file `name` in the first folder that has it; `name` may be a path."""
    return next((folder / name for folder in folders if (folder / name).is_file()), folders[0] / name)
