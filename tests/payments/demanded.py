"""Settings that meet the demands of production on payments, and ways to break each demand."""

from collections.abc import Mapping, Sequence

from meterai.payments.adapters.midtrans import SERVER_KEY_FILE
from tests.support.demanding import Installation, Wrong, setting

RIGHT = {
    "bank_url": "https://api.bank.co.id",
    "bank_client_id": "PENERBIT",
    "bank_merchant_id": "M-1",
    "bank_qr_accounts": "936000020000000001 ID1020000000001",
}
GOOD = {
    "bank_url": ("https://10.2.0.9/snap",),  # a leased line to the bank
}


def by_midtrans(name: str, *values: object) -> list[Wrong]:
    """Ways to break the demands on Midtrans: None removes the setting or the file of this name."""

    def change(value: object) -> Wrong:
        def to(one: Installation) -> None:
            one.given |= {
                "payment_rails": "bank midtrans",
                "midtrans_url": "https://api.midtrans.com",
                "midtrans_merchant_id": "G1",
                "midtrans_qr_accounts": "936009140000000001",
            }
            if name != SERVER_KEY_FILE:
                (one.keys / SERVER_KEY_FILE).write_text("Mid-server-1")
                (one.keys / SERVER_KEY_FILE).chmod(0o600)
                one.given[name] = value

        return to

    return [change(value) for value in values]


def with_virtual_accounts(more: dict[str, object]) -> Wrong:
    return lambda one: one.given.update(more | {"bank_methods": "qris va"})


def bank_with_a_file(url: str, client_id: str = "PENERBIT") -> Wrong:
    def to(one: Installation) -> None:
        (one.folder / "banks").mkdir()
        told = f'kind = "snap"\nurl = "{url}"\nclient_id = "{client_id}"\nmerchant_id = "M-2"\n'
        (one.folder / "banks" / "bri.toml").write_text(told)
        one.given["payment_rails"] = "bank bri"

    return to


WRONG: Mapping[str, Sequence[Wrong]] = {
    "bank_address": setting(
        "bank_url", None, "http://api.bank.co.id", "https://127.0.0.1:9", "https://", "https://["
    ),
    "bank_identity": [
        *setting("bank_client_id", None),
        *setting("bank_merchant_id", None),
        *setting("bank_qr_accounts", None, ""),
        with_virtual_accounts({"bank_va_service_id": "89012", "bank_label": "Bank Contoh"}),
        with_virtual_accounts({"bank_va_service_id": "89012", "bank_va_name": "PT CONTOH"}),
    ],
    "bank_of_file": [
        bank_with_a_file("https://10.8.0.1:x"),
        bank_with_a_file("http://api.bank.co.id"),
        bank_with_a_file("https://api.bank.co.id", client_id=""),
        bank_with_a_file("https://api.bank.co.id"),  # without its keys
    ],
    "midtrans_address": by_midtrans(
        "midtrans_url", None, "http://api.midtrans.com", "https://[::1]"
    ),
    "midtrans_identity": [
        *by_midtrans("midtrans_merchant_id", None, ""),
        *by_midtrans("midtrans_qr_accounts", None, ""),
    ],
    "midtrans_key_there": by_midtrans(SERVER_KEY_FILE, None),
}
