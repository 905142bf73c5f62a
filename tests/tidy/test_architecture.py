"""The picture of the rooms in docs/architecture.md is what the linter of imports holds."""

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def _drawn() -> list[set[str]]:
    """The rooms of each line of the picture, from the top."""
    text = (ROOT / "docs" / "architecture.md").read_text()
    picture = text.split("## The rooms")[1].split("```")[1]
    lines = [line for line in picture.splitlines() if line and not line.startswith(" ")]
    # Names that stand alone on their line are explained on the next; else after some blanks.
    return [set(re.split(r"\s+\|\s+", re.split(r"\s{2,}", line)[0].strip())) for line in lines]


def held() -> list[set[str]]:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())
    contracts = settings["tool"]["importlinter"]["contracts"]
    (rooms,) = (one for one in contracts if one["id"] == "rooms")
    return [set(layer.split(" | ")) for layer in rooms["layers"]]


def test_the_picture_of_the_rooms_is_true() -> None:
    assert _drawn() == held()
    folders = {one.parent.name for one in (ROOT / "meterai").glob("*/__init__.py")}
    assert set().union(*_drawn()) == folders


# What only the package of a rail knows: its class, headers, names of fields, paths, formats.
OF_MIDTRANS = re.compile(
    r"MidtransRail|signature_key|gross_amount|va_number|settlement_time|refund_charge"
)
OF_SNAP = re.compile(
    r"SnapProvider|SnapRefused|X-TIMESTAMP|X-SIGNATURE|X-EXTERNAL-ID|qr-mpm|TransactionStatus\"|"
    r"artnerReferenceNo|responseCode|additionalInfo|\bemv\b",
    re.IGNORECASE,
)


@pytest.mark.parametrize(("words", "rail"), [(OF_SNAP, "snap"), (OF_MIDTRANS, "midtrans")])
def test_what_a_provider_speaks_is_known_to_its_rail_alone(
    words: re.Pattern[str], rail: str
) -> None:
    knowing = {
        one.relative_to(ROOT / "meterai").parent.as_posix()
        for one in (ROOT / "meterai").rglob("*.py")
        if words.search(one.read_text())
    }
    assert knowing == {f"payments/adapters/{rail}"}
