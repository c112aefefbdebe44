"""Mapping files as a whole: what they bind, and how each mistake is told."""

from pathlib import Path

import pytest
from tests.support.mappings import BANK, BANK_MAPPING, bind, callback, compile_text, mistakes_in, undo, write_bank

from walletbridge.protocol.callbacks import Command
from walletbridge.protocol.errors import SettingsError
from walletbridge.rules.promises import Promises, Repeats
from walletbridge.settings import Wallet
from walletbridge.wallet.mapping.loading import COMMANDS, load, read


def changed(folder: Path, old: str, new: str) -> list[str]:
    assert old in BANK_MAPPING
    return mistakes_in(write_bank(folder, BANK_MAPPING.replace(old, new, 1)))


def test_a_right_file_is_read(tmp_path: Path) -> None:
    bound = bind(write_bank(tmp_path))

    assert bound.source == str(tmp_path / "mapping.yaml")
    assert bound.bindings.keys() == {"authenticate", "balance", "bet", "win", "undo_bet", "undo_win", "status"}
    assert bound.promises == Promises(
        late_bets_refused=False, repeats=Repeats.REPORTED, has_cancel=False, has_status=True
    )
    assert bound.lookups["player"].cache_seconds == 300


def test_a_request_carries_what_the_look_up_found(tmp_path: Path) -> None:
    method = bind(write_bank(tmp_path)).bindings["bet"].method
    request = method.build(callback("bet", amount="10.5"), {"user.id": 7})

    assert " ".join(str(request).split()) == (
        'user_id: 7 amount: "10.50" reference: "bet:1676358190" kind: KIND_BET round: "818395446" currency: "EUR"'
    )
    assert {name: compute(callback("bet"), {}) for name, compute in method.metadata} == {
        "x-client": "walletbridge",
        "x-request": "bet-1676358190",
    }


def test_an_undo_goes_the_other_way(tmp_path: Path) -> None:
    bound = bind(write_bank(tmp_path))

    for undone, name in ((Command.BET, "bank.Wallet/Credit"), (Command.WIN, "bank.Wallet/Debit")):
        binding = bound.binding_of(undo(undone))
        assert binding is not None
        assert binding.method.name == name
        assert 'amount: "10.50"' in str(binding.method.build(undo(undone), {"user.id": 7}))
    assert bound.binding_of(callback("cancel")) is None


def test_a_cancel_that_needs_the_amount_is_made_up_for(tmp_path: Path) -> None:
    start = BANK_MAPPING.index("    undo_bet:")
    end = BANK_MAPPING.index("  status:\n")
    one = (
        BANK_MAPPING[:start]
        + (
            "    method: Credit\n    lookup: player\n"
            '    request: {user_id: "{player.user.id}", amount: "{amount:decimal}", reference: "{undone}:{trans_id}"}\n'
            "    outcome: *outcome\n"
        )
        + BANK_MAPPING[end:]
    )
    bound = bind(write_bank(tmp_path, one))

    assert (bound.promises.has_cancel, "cancel" in bound.bindings) == (False, True)
    binding = bound.binding_of(undo(Command.WIN))
    assert binding is not None
    assert 'reference: "win:7"' in str(binding.method.build(undo(Command.WIN), {"user.id": 7}))


def test_the_sources_of_a_schema(tmp_path: Path) -> None:
    """The same file, below a folder of its own, and as a descriptor set."""
    (tmp_path / "protos").mkdir()
    write_bank(tmp_path)
    (tmp_path / "bank.proto").rename(tmp_path / "protos" / "bank.proto")
    (tmp_path / "bank.binpb").write_bytes(compile_text(BANK).SerializeToString())

    for schema in (
        "{proto: bank.proto, include: protos}",
        "{proto: [protos/bank.proto]}",
        "{descriptor_set: bank.binpb}",
    ):
        path = write_bank(tmp_path, BANK_MAPPING.replace("\n  proto: [bank.proto]", f" {schema}"))
        (tmp_path / "bank.proto").unlink()
        assert mistakes_in(path) == []


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("proto: [bank.proto]", "proto: [bnk.proto]", "2: schema.proto: "),
        ("proto: [bank.proto]", "descriptor_set: none.binpb", "2: schema.descriptor_set: "),
        ("proto: [bank.proto]", "descriptor_set: bank.proto", "2: schema.descriptor_set: is no descriptor set"),
        ("proto: [bank.proto]", "reflection: false", "2: schema.reflection: expected true"),
        ("proto: [bank.proto]", "reflection: true\n  include: [.]", "3: schema.include: goes with proto alone"),
        (
            "proto: [bank.proto]",
            "include: [.]",
            "1: schema: expected one of proto, descriptor_set, reflection, got none",
        ),
        (
            "service: bank.Wallet",
            "service: bank.Walet",
            "3: service: the service bank.Walet is not known; did you mean bank.Wallet?",
        ),
        ("x-client: walletbridge", "X-Client: walletbridge", "5: metadata."),
        ("x-client: walletbridge", "x-client: '{trans_id}'", "5: metadata."),
        ("x-client: walletbridge", "x-client: '{env.NOT_SET}'", "the environment variable NOT_SET is not set"),
        ("1: KIND_BET", "1: KIND_BETT", '7: tables.kinds."1": bank.Kind: the value KIND_BETT is not known'),
        ("  player:", "  account:", "9: lookups.account: expected a name that is none of account"),
        ('{login: "{account}"}', "{login: x}", "nothing in it is the account"),
        ("late_bets_refused: false", "late_bets_refused: no", "16: promises.late_bets_refused: expected true or false"),
        ("late_bets_refused: false\n  ", "", "15: promises: lacks late_bets_refused"),
        ("repeats: reported", "repeats: replay", "did you mean replayed?"),
        ("[21, 22, 31, 41, 42]", "[21, 23]", "18: promises.checks[1]: expected one of 21, 22, 31, 41, 42"),
        ("  balance: *balance\n", "", "19: commands: lacks balance: each of the six commands needs a method"),
        ("  bet:\n", "  bte:\n", "38: commands.bte: unknown key; did you mean commands.bet?"),
        (
            "lookup: player\n    method: Debit",
            "lookup: plyer\n    method: Debit",
            "39: commands.bet.lookup: the look-up plyer is not known; did you mean player?",
        ),
        ("lookup: player\n    method: Debit", "method: Debit", "the source player.user.id is not known"),
        (
            "method: Debit",
            "method: Debt",
            "40: commands.bet.method: bank.Wallet: the method Debt is not known; did you mean Debit?",
        ),
        ("method: Debit", "method: bank.Walle/Debit", "the service bank.Walle is not known"),
        (
            'amount: "{amount:decimal}"',
            'amount: "{amount:minor}"\n      amont: x',
            "the field amont is not known; did you mean amount?",
        ),
        ("STATUS_NO_FUNDS: 31", "STATUS_NO_FUND: 31", "did you mean STATUS_NO_FUNDS?"),
        (
            '    balance: "{balance:decimal}"\n  balance',
            "    balance: ask\n  balance",
            "the command balance cannot ask",
        ),
        ("    state:\n", "    stat:\n", "unknown key"),
        (
            "    outcome: *outcome\n    balance:",
            "    outcome: *outcome\n    state: {}\n    balance:",
            "only status has a state",
        ),
    ],
)
def test_a_mistake_has_its_line_and_the_nearest_right_name(tmp_path: Path, old: str, new: str, told: str) -> None:
    found = changed(tmp_path, old, new)

    assert any(told in mistake for mistake in found), found
    assert all(mistake[0].isdigit() for mistake in found)


def test_whatever_is_wrong_is_told_at_once(tmp_path: Path) -> None:
    text = BANK_MAPPING.replace("method: Debit", "method: Debt", 1).replace("method: GetTransfer", "method: Get")

    assert len(mistakes_in(write_bank(tmp_path, text))) == 2


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            "",
            "1: expected keys and values (schema, service, metadata, tables, lookups, promises, commands), got nothing",
        ),
        ("x", '1: expected keys and values, got "x"'),
        ("a: [", "not YAML"),
        ("schema: {}", "1: lacks promises, commands"),
    ],
)
def test_a_file_that_is_none_is_told(tmp_path: Path, text: str, told: str) -> None:
    assert any(told in mistake for mistake in mistakes_in(write_bank(tmp_path, text)))


def test_a_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"wallet\.mapping: .*none\.yaml cannot be read: No such file"):
        bind(tmp_path / "none.yaml")
    (tmp_path / "latin.yaml").write_bytes(b"\xff")
    with pytest.raises(SettingsError, match="not UTF-8 at byte 0"):
        read(tmp_path / "latin.yaml", Wallet(target="x"), environ={}, now=lambda: 0)


def test_an_unused_look_up_is_told(tmp_path: Path) -> None:
    outcome = "{present: user, values: {true: 0, false: 21}}"
    more = f"lookups:\n  other: {{method: FindUser, request: {{login: '{{account}}'}}, outcome: {outcome}}}\n"
    bound = bind(write_bank(tmp_path, BANK_MAPPING.replace("lookups:\n", more)))

    assert any("no command uses this look-up" in caution.problem for caution in bound.cautions)


@pytest.mark.parametrize(("cache", "is_told"), [("", True), ("    cache: {seconds: 0}\n", False)])
def test_how_late_a_blocked_player_is_noticed_is_told(tmp_path: Path, cache: str, *, is_told: bool) -> None:
    text = BANK_MAPPING.replace("promises:\n", f"{cache}promises:\n", 1)
    bound = bind(write_bank(tmp_path, text))

    assert any("a player who is blocked is refused" in caution.problem for caution in bound.cautions) is is_told


def test_without_a_mapping_the_wallet_speaks_wallet_v1() -> None:
    assert load(Wallet(target="x")).bindings.keys() == set(COMMANDS)


def test_the_documented_file_is_right(tmp_path: Path) -> None:
    text = (Path(__file__).parents[4] / "config" / "guides" / "mapping.md").read_text()
    section = text[text.index("## A whole file") :]
    proto, mapping = (section.split(f"```{kind}\n")[1].split("```")[0] for kind in ("proto", "yaml"))
    (tmp_path / "wallet.proto").write_text(proto)

    path = tmp_path / "documented.yaml"
    path.write_text(mapping)
    assert mistakes_in(path) == []
