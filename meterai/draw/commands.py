"""Commands that verify a draw from its public files and the operator's public key, without a database."""

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import msgspec
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cyclopts import Parameter

from meterai.commands import (
    NO_OPTIONS,
    AsJson,
    Between,
    Exit,
    Options,
    Text,
    complain,
    line,
    text_only,
)
from meterai.draw.computing import pieces_of
from meterai.draw.files import LIST, RECORD
from meterai.draw.protocol.entries import ENTRIES_MAX, EntriesMalformed, read_lines
from meterai.draw.protocol.merkle import proof_of
from meterai.draw.protocol.record import RECORD_BYTES_MAX, DrawRecord, RecordMalformed, read
from meterai.draw.protocol.verification import (
    DrawFinding,
    DrawQuestion,
    Inclusion,
    Judgement,
    examine,
    judge,
)
from meterai.kit.refusal import CommandRefusal
from meterai.kit.text import one_line
from meterai.plumbing.files import read_file, read_key_file
from meterai.plumbing.messages import translate

PROOF_BYTES_MAX = 10_000
_TIMES = {"at", "first", "last"}  # facts of a finding that are seconds since 1970
_HOLDS = {Judgement.HOLDS: "ok ", Judgement.OPEN: " ? ", Judgement.BROKEN: "NO "}
_STATUS = {
    Judgement.HOLDS: Exit.DONE,
    Judgement.OPEN: Exit.UNJUDGED,
    Judgement.BROKEN: Exit.NO,
}
Place = Annotated[Path, Parameter(help="draw.json, or a folder with it and entries.txt.")]
ListFile = Annotated[Path | None, Parameter(name="--entries", help="entries.txt.")]
Key = Annotated[
    str,
    Parameter(
        help="The operator's public key: 64 hexadecimal digits, or a PEM file.", validator=text_only
    ),
]


class KeyUnreadable(CommandRefusal):
    """The text is neither a hexadecimal public key nor a PEM file with an Ed25519 key."""

    code = "draw_key_unreadable"
    status = 422


def public_key_of(text: str) -> str:
    """Return a public key in hexadecimal; `text` is that key in hexadecimal, or the path of a PEM file with the key.

    Refuses `KeyUnreadable`.
    """
    if not text or re.fullmatch(r"[0-9a-f]{64}", text):
        return text
    try:
        key = serialization.load_pem_public_key(read_key_file(Path(text)))
    except (OSError, ValueError) as error:
        raise KeyUnreadable(text[:100]) from error
    if not isinstance(key, Ed25519PublicKey):
        raise KeyUnreadable("the key is of an unsupported kind")
    return key.public_bytes_raw().hex()


def read_record(place: Path) -> DrawRecord:
    """Return the record in a file or folder; end the command if it cannot be read."""
    file = place / RECORD if place.is_dir() else place
    try:
        return read(read_file(file, RECORD_BYTES_MAX))
    except OSError as error:
        complain(f"{file}: {error.strerror}")
        raise SystemExit(Exit.USAGE) from None
    except RecordMalformed as refusal:
        line(f"NO  {file}: {one_line(str(refusal))}")
        raise SystemExit(Exit.NO) from None


def _entries(file: Path | None) -> list[bytes] | None:
    if file is None:
        return None
    try:
        return read_lines(pieces_of(file))
    except OSError as error:
        complain(f"{file}: {error.strerror}")
        raise SystemExit(Exit.USAGE) from None
    except EntriesMalformed as refusal:
        line(f"NO  {file}: {refusal}")
        raise SystemExit(Exit.NO) from None


def entry_of(text: str) -> bytes | None:
    """Return the entry that an argument of a command gives in hexadecimal; None if the argument is empty."""
    if not text:
        return None
    if not re.fullmatch(r"[0-9a-f]{32}", text.lower()):
        complain("an entry has 32 hexadecimal digits")
        raise SystemExit(Exit.USAGE)
    return bytes.fromhex(text)


def _inclusion(file: Path | None) -> Inclusion | None:
    if file is None:
        return None
    try:
        return msgspec.json.decode(read_file(file, PROOF_BYTES_MAX), type=Inclusion)
    except (OSError, ValueError, RecursionError) as error:
        complain(f"{file}: {error}")
        raise SystemExit(Exit.USAGE) from None


def sentence(finding: DrawFinding, language: str = "en") -> str:
    """Return a finding of the verification as a sentence."""
    facts = {
        name: moment_of(value) if name in _TIMES else value for name, value in finding.facts.items()
    }
    return one_line(translate(f"draw.{finding.found}", language, **facts))


def moment_of(seconds: object) -> str:
    """Format seconds since 1970 as a time in ISO 8601; a value that is no such number is returned as text."""
    try:
        return datetime.fromtimestamp(int(str(seconds)), UTC).isoformat()
    except (ValueError, OverflowError, OSError):
        return str(seconds)


def verify(  # noqa: PLR0913 - what may be at hand beside the record
    record: Place,
    *,
    entries: ListFile = None,
    key: Key = "",
    chain: Annotated[
        str, Parameter(help="Hash of a drand chain to accept beside quicknet.", validator=text_only)
    ] = "",
    saved: Annotated[Path | None, Parameter(help="A draw.json saved earlier.")] = None,
    entry: Annotated[
        str, Parameter(help="The entry whose number is asked for.", validator=text_only)
    ] = "",
    number: Annotated[
        int | None,
        Parameter(help="The number to verify for the entry.", validator=Between(1, ENTRIES_MAX)),
    ] = None,
    proof: Annotated[
        Path | None, Parameter(help="A proof of an entry, which replaces the list.")
    ] = None,
    as_json: AsJson = False,
    options: Options = NO_OPTIONS,
) -> None:
    """Recompute a draw: signatures, list, root, round, seed, order, and the number of an entry.

    Only the public files are needed.  Exit status: 0 everything is right, 1 something is wrong, 3 something could
    not be judged.
    """
    options.configuration("draw verify")
    told = read_record(record)
    if entries is None and record.is_dir() and (record / LIST).is_file():
        entries = record / LIST
    question = DrawQuestion(
        entries=_entries(entries),
        public_key=public_key_of(key),
        chain_hash=chain,
        saved=read_record(saved) if saved else None,
        entry=entry_of(entry),
        number=number,
        inclusion=_inclusion(proof),
    )
    findings = list(examine(told, question))
    if as_json:
        line(json.dumps([_as_json(finding) for finding in findings], indent=2))
    else:
        for finding in findings:
            line(f"{_HOLDS[finding.judgement]} {sentence(finding)}")
    raise SystemExit(_STATUS[judge(findings)])


def _as_json(finding: DrawFinding) -> dict[str, object]:
    return {
        "found": finding.found,
        "judgement": finding.judgement,
        "said": sentence(finding),
        "facts": dict(finding.facts),
    }


def show(record: Place, options: Options = NO_OPTIONS) -> None:
    """Show the signed parts of a draw: announcement, closing and result."""
    options.configuration("draw show")
    told = read_record(record)
    line(f"public key: {told.public_key}")
    for part in told.parts:
        line(f"{part.kind}:")
        for name, value in json.loads(part.body).items():
            shown = (
                f"{value} ({moment_of(value)})" if name.endswith(("at", "by", "until")) else value
            )
            line("  " + one_line(f"{name}: {shown}"))


def prove(
    entries: Annotated[Path, Parameter(help="entries.txt.")],
    entry: Text,
    options: Options = NO_OPTIONS,
) -> None:
    """Write a proof that an entry is in a list, for `draw verify --proof`."""
    options.configuration("draw prove")
    listed, sought = _entries(entries), entry_of(entry)
    if listed is None or sought not in listed:
        line(f"{entry} is not in the list")
        raise SystemExit(Exit.NO)
    index = listed.index(sought)
    path = tuple(one.hex() for one in proof_of(listed, index))
    line(msgspec.json.encode(Inclusion(sought.hex(), index, len(listed), path)).decode())
