"""Check closes of days and their entries: python3 verify_closes.py KEY.pem FOLDER

Needs Python and `cryptography`.  FOLDER has for each day DAY.json (the signed close) and DAY.jsonl (its entries).
Prints each book at the end of the last day, credits positive.
"""
import collections, datetime, hashlib, json, pathlib, sys  # noqa: E401
from base64 import urlsafe_b64decode

from cryptography.hazmat.primitives.serialization import load_pem_public_key

key, before, held = load_pem_public_key(open(sys.argv[1], "rb").read()), None, None
read = lambda text: urlsafe_b64decode(text + "=" * (-len(text) % 4))  # noqa: E731
for path in sorted(pathlib.Path(sys.argv[2]).glob("????-??-??.json")):
    jws = json.loads(text := path.read_bytes())
    key.verify(read(jws["signature"]), f"{jws['protected']}.{jws['payload']}".encode())
    assert json.loads(read(jws["protected"])) == {"alg": "EdDSA", "typ": "meterai day close"}
    close, day = json.loads(read(jws["payload"])), datetime.date.fromisoformat(path.stem)
    assert close["day"] == path.stem, f"{path} is of another day"
    assert before in (None, (str(day - datetime.timedelta(1)), close["before"])), f"a day is missing before {path}"
    lines, sides = path.with_suffix(".jsonl").read_bytes().splitlines(), collections.Counter()
    digests = b"".join(hashlib.sha256(line).digest() for line in lines)
    assert len(lines) == close["entries"] and hashlib.sha256(digests).hexdigest() == close["sha256"], f"{path}: other entries"
    for at, account, entry, reason, subject, legs in map(json.loads, lines):
        for book, amount in legs.items():
            sides[book, amount > 0] += abs(amount)
    for book, (debit, credit, closing) in close["books"].items():
        assert (sides[book, False], sides[book, True]) == (debit, credit), f"{path}: {book} has other sums"
        assert held is None or held.get(book, 0) + credit - debit == closing, f"{path}: {book} does not follow"
    before, held = (path.stem, hashlib.sha256(text).hexdigest()), {book: sums[2] for book, sums in close["books"].items()}
    print(path.stem, close["entries"], "entries,", len(close["breaks"]), "breaks open")
for book in held:
    print(book, held[book])
