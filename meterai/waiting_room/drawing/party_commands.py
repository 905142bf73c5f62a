"""Take part in a draw as a party: commit to a secret, and reveal it to the list that was closed.

Both run on the party's own machine; the secret leaves it only when it is revealed.
"""

import os
import secrets
from pathlib import Path
from typing import Annotated

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cyclopts import Parameter

from meterai.commands import NO_OPTIONS, Exit, Options, Text, complain, line, text_only
from meterai.plumbing.files import read_key_file
from meterai.plumbing.keyring import write_once
from meterai.waiting_room.draw.parties import SECRET_BYTES, is_usable, party_of, reveal_to
from meterai.waiting_room.draw.record import Kind, hash_of
from meterai.waiting_room.draw.verification import Judgement, Question, examine
from meterai.waiting_room.drawing.commands import (
    Key,
    Place,
    public_key_of,
    read_record,
    sentence,
)

SecretFile = Annotated[Path, Parameter(help="File of the secret; only its owner can read it.")]


Hexadecimal = Annotated[str, msgspec.Meta(pattern=f"^[0-9a-f]{{{2 * SECRET_BYTES}}}$")]


class _Secret(msgspec.Struct, forbid_unknown_fields=True):
    """What a party keeps; secret and key in hexadecimal."""

    line: str
    name: str
    secret: Hexadecimal
    key: Hexadecimal


def party_commit(
    draw: Text, name: Text, *, secret: SecretFile, options: Options = NO_OPTIONS
) -> None:
    """Make a secret for a draw, as the party of this name, and write the commitment to give to the operator.

    DRAW is what `meterai line draw` calls it.  The same file gives the same commitment again.
    """
    options.configuration("draw party-commit")
    fresh = _Secret(draw, name, secrets.token_hex(SECRET_BYTES), secrets.token_hex(SECRET_BYTES))
    # A secret that was committed to is never replaced: the file that is there counts.
    write_once(secret.absolute(), msgspec.json.encode(fresh))
    kept = _read(secret)
    party = party_of(kept.line, kept.name, bytes.fromhex(kept.secret), _key(kept))
    if (kept.line, kept.name) != (draw, name) or not is_usable(party):
        complain(f"{secret} is of another draw or party, or the name cannot be used")
        raise SystemExit(Exit.USAGE)
    line(msgspec.json.encode(party).decode())


def party_reveal(
    record: Place,
    *,
    secret: SecretFile,
    key: Key,
    chain: Annotated[
        str, Parameter(help="Hash of a drand chain to accept beside quicknet.", validator=text_only)
    ] = "",
    options: Options = NO_OPTIONS,
) -> None:
    """Write the reveal of a secret, to give to the operator and to publish, once the list is closed.

    It is refused unless the record is signed by this key, holds as far as it goes, names this party, and
    has a closing: a party reveals to a root that it has seen.  Keep that draw.json.
    """
    options.configuration("draw party-reveal")
    kept, told = _read(secret), read_record(record)
    question = Question(public_key=public_key_of(key), chain_hash=chain)
    wrong = [one for one in examine(told, question) if one.judgement is Judgement.BROKEN]
    for finding in wrong:
        line(f"NO  {sentence(finding)}")
    closing = told.part(Kind.CLOSING)
    party = party_of(kept.line, kept.name, bytes.fromhex(kept.secret), _key(kept))
    if closing is None or party not in told.announcement.parties:
        line("NO  the list is not closed, or this party was not announced so")
    if wrong or closing is None or party not in told.announcement.parties:
        raise SystemExit(Exit.NO)
    reveal = reveal_to(hash_of(closing), kept.name, bytes.fromhex(kept.secret), _key(kept))
    line(msgspec.json.encode(reveal).decode())


def _read(file: Path) -> _Secret:
    try:
        return msgspec.json.decode(read_key_file(file), type=_Secret)
    except (OSError, ValueError, RecursionError) as error:
        complain(
            f"{file}: {os.strerror(error.errno) if isinstance(error, OSError) and error.errno else 'no secret of a party'}"
        )
        raise SystemExit(Exit.USAGE) from None


def _key(kept: _Secret) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(bytes.fromhex(kept.key))
