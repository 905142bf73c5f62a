"""Seeds of fuzzing: small documents of every structure, sealed documents, containers, claims."""

import re
from datetime import datetime

from meterai import sealing
from meterai.kit.serial import SerialMaker
from meterai.sealing import claim
from tests.support.pdfmaker import letter, whole

_SEALED: list[bytes] = []


def of(target: str, issuer: sealing.Issuer, at: datetime, check_url: str) -> dict[str, bytes]:
    """Return the seeds of a target by name."""
    plain = documents()
    sealed = {
        f"sealed-{name}": _sealed(document, issuer, at, check_url)
        for name, document in plain.items()
    }
    _SEALED[:] = sealed.values()
    match target:
        case "seal":
            return plain | {"sealed-table": sealed["sealed-table"]}
        case "verify":
            return sealed
        case "container":
            return {name: _container(document) for name, document in sealed.items()}
        case _:
            assert issuer.claim_key is not None
            serial = SerialMaker(7).make()
            text = claim.make(serial, at, bytes(32), issuer.claim_key)
            return {"claim": f"{serial}/{text}".encode()}


def documents() -> dict[str, bytes]:
    """Return small documents that differ in structure, by name."""
    objects = letter(2)
    packed = [1, 2, 3, 4]
    form = dict(objects)
    form[1] = b"<</Type/Catalog/Pages 2 0 R/AcroForm<</Fields[20 0 R]>>/StructTreeRoot 21 0 R>>"
    form[20] = b"<</FT/Tx/T(Nama)/V(Budi)/Kids[<</Subtype/Widget/Rect[9 9 99 30]/Parent 20 0 R>>]>>"
    form[21] = b"<</Type/StructTreeRoot/K[]/ParentTree 22 0 R/ParentTreeNextKey 3>>"
    form[22] = b"<</Nums[0 null 2 null]>>"
    return {
        "table": whole(objects),
        "stream": whole(objects, style="stream", packed=packed),
        "up": whole(objects, style="stream", packed=packed, up=True),
        "hybrid": whole(objects, style="hybrid", packed=packed),
        "form": whole(form),
    }


def is_sealed(document: bytes) -> bool:
    """True if the document is a sealed seed, byte for byte."""
    return document in _SEALED


def _sealed(document: bytes, issuer: sealing.Issuer, at: datetime, check_url: str) -> bytes:
    stamp = sealing.Stamp(SerialMaker(7).make(), sealing.Placement(1, 20, 20, 65))
    return (
        document
        + sealing.seal(document, [stamp], issuer, at=at, check_url=check_url, specimen=True).data
    )


def _container(document: bytes) -> bytes:
    found = re.search(rb"/Contents <([0-9a-f]+)>", document)
    assert found is not None
    octets = bytes.fromhex(found[1].decode())
    return octets[: 4 + int.from_bytes(octets[2:4], "big")]
