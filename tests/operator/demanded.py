"""Settings that meet the demands of production on the operator, and ways to break each demand."""

from collections.abc import Mapping, Sequence

from meterai.operator.service import PAPER_BYTES_MAX
from tests.support.demanding import Installation, Wrong, setting

RIGHT = {
    "operator_name": "PT Contoh Meterai",
    "operator_address": "Jalan Contoh 1, Jakarta 10110",
    "operator_mail": "tanya@meterai.contoh.id",
    "operator_tax_number": "01.234.567.8-901.000",
    "operator_terms": "https://contoh.id/syarat",
    "operator_privacy": "https://contoh.id/privasi",
    "operator_security": "https://contoh.id/keamanan",
}
GOOD = {
    "operator_tax_number": ("3175001234567890",),
    "operator_branch_number": ("0012345678901000000012",),
    "operator_security": ("celah@contoh.id",),
}


def paper(content: bytes) -> Wrong:
    def to(one: Installation) -> None:
        (one.folder / "syarat.txt").write_bytes(content)
        one.given["operator_terms"] = str(one.folder / "syarat.txt")

    return to


WRONG: Mapping[str, Sequence[Wrong]] = {
    "operator_named": [
        *setting("operator_name", None, "", " ", "PT Specimen"),
        *setting("operator_address", None, "", "Jalan SPECIMEN 1, Jakarta"),
    ],
    "operator_contact": setting(
        "operator_mail", None, "", "halo", "a@localhost", "a@b.invalid", "Kami <a@contoh.id>"
    ),
    "operator_tax_number": setting(
        "operator_tax_number",
        None,
        "",
        "1234",
        "01234567890123456",
        "01234567890100x",
        "\u0660" * 16,
    ),
    "operator_branch_number": setting(
        "operator_branch_number", "0", "0012345678901000", "1012345678901000000000"
    ),
    "operator_papers": [
        *setting("operator_terms", None, "", "/nowhere/terms.txt", "http://contoh.id/syarat"),
        *setting("operator_privacy", None, "https://localhost/", "https://["),
        paper(b"SPECIMEN: isi nanti"),
        paper(b""),
        paper(b"\xff"),
        paper(b"a" * (PAPER_BYTES_MAX + 1)),
    ],
    "operator_security": setting("operator_security", None, "", "halo", "https://localhost/x"),
}
