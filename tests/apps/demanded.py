"""Settings that meet the demands of production on a process, and ways to break each demand."""

from collections.abc import Mapping, Sequence

from tests.support.demanding import Installation, Wrong, setting, without_key

ISSUER = "keys/issuer/development-1"
RIGHT = {
    "environment": "production",
    "public_url": "https://meterai.contoh.id",
    "proxies": 1,
    "database_url": "postgresql://meterai@db.contoh.id/meterai",
}
GOOD = {
    "public_url": (
        "https://meterai.contoh.id/",
        "https://meterai.contoh.id:8443",
    ),
}


def mode(name: str, bits: int) -> Wrong:
    return lambda one: (one.folder / name).chmod(bits)


def secret_in_an_open_file(one: Installation) -> None:
    file = one.folder / "meterai.toml"
    file.write_text('smtp_password = "rahasia"\n')
    file.chmod(0o644)


def key_under_a_public_name(one: Installation) -> None:
    file = one.keys / "old.pem"
    file.write_bytes((one.keys / "provider.key.pem").read_bytes())
    file.chmod(0o644)


WRONG: Mapping[str, Sequence[Wrong]] = {
    "public_address": setting(
        "public_url",
        None,
        "http://meterai.contoh.id",
        "https://localhost",
        "https://127.0.0.1:8000",
        "https://[::1]",
        "https://10.0.0.4",
        "https://meterai",
        "https://meterai.invalid",
        "https://meterai.contoh.id/portal",
        "https://meterai.contoh.id/?a",
        "https://me@meterai.contoh.id",
        "https://",
        "https://[::1",
        "meterai.contoh.id",
    ),
    "proxies": setting("proxies", None, 0),
    "port": setting("port", 0),
    "database": setting("database_url", None),
    "development_directory": [
        *setting("bank_port", 4711),
        *setting("mail_port", 4711),
        *setting("drand_port", 4711),
        *setting("midtrans_port", 4711),
        lambda one: (one.folder / "standins").mkdir(),
    ],
    "keys_there": [
        without_key("instance.key"),
        without_key("provider.key.pem"),
        without_key("bank.pub.pem"),
        without_key("bank-client-secret"),
        *setting("bank_public_key", "/nowhere/bank.pub.pem"),
    ],
    "keys_closed": [
        mode("keys/instance.key", 0o644),
        mode("keys/instance.key", 0o640),
        mode("keys/provider.key.pem", 0o604),
        mode("keys/bank-client-secret", 0o620),
        mode(f"{ISSUER}/seal.key", 0o644),
        mode(f"{ISSUER}/claim.key", 0o644),
        mode(f"{ISSUER}/seal.pem", 0o664),
        mode("keys", 0o777),
        key_under_a_public_name,
        secret_in_an_open_file,
    ],
}
