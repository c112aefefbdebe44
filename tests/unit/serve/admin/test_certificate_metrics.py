"""When certificates expire, for alerts."""

from pathlib import Path

from tests.support.tls import Authority, KeyPair

from walletbridge.serve.admin.certificate_metrics import certificate_families
from walletbridge.settings import ListenerTls, Settings, Tls, Wallet

EXPIRY, UNUSABLE = "walletbridge_certificate_expiry_timestamp_seconds", "walletbridge_certificate_unusable"


def numbers(settings: Settings) -> dict[tuple[str, str], float]:
    return {
        (sample.name, sample.labels["certificate"]): sample.value
        for family in certificate_families(settings)
        for sample in family.samples
    }


def house(listener: KeyPair, wallet: KeyPair) -> Settings:
    return Settings(
        tls=ListenerTls(cert_file=listener.cert_file, key_file=listener.key_file),
        wallet=Wallet(target="127.0.0.1:1", tls=Tls(cert_file=wallet.cert_file, key_file=wallet.key_file)),
    )


def test_each_certificate_says_when_it_expires(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    found = numbers(house(authority.sign("one", days=(-1, 1)), authority.sign("two", days=(-1, 3))))

    assert found[UNUSABLE, "listener"] == found[UNUSABLE, "wallet"] == 0
    assert abs(found[EXPIRY, "wallet"] - found[EXPIRY, "listener"] - 2 * 86400) < 60


def test_files_that_cannot_be_used_are_told(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    one, two = authority.sign("one"), authority.sign("two")
    one.key_file.write_text("half a key")
    two.cert_file.unlink()

    assert numbers(house(one, two)) == {(UNUSABLE, "listener"): 1, (UNUSABLE, "wallet"): 1}


def test_without_certificates_nothing_is_told() -> None:
    assert numbers(Settings(wallet=Wallet(target="127.0.0.1:1"))) == {}
