"""Check an outage record without any program of the operator: python3 verify_outage.py record.json keys.pem
It needs `cryptography` alone, checks the signatures of operator and watchers, and derives the periods again."""
import base64, hashlib, itertools, json, re, sys, zlib  # noqa: E401
from datetime import UTC, datetime; from pathlib import Path  # noqa: E702
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key
B = lambda text: base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))  # noqa: E731
M = lambda text: int(datetime.fromisoformat(text).timestamp()) // 60  # noqa: E731
def read(text, key):
    doc = json.loads(text)
    key.verify(B(doc["signature"]), f"{doc['protected']}.{doc['payload']}".encode())
    return json.loads(B(doc["payload"]))
pem = re.search(rb"-+BEGIN PUBLIC KEY-+.+?-+END PUBLIC KEY-+", Path(sys.argv[2]).read_bytes(), re.S)[0]
record, votes = read(Path(sys.argv[1]).read_bytes(), load_pem_public_key(pem)), {}
minutes, near = range(M(record["begin"]), M(record["end"])), range(1, record["join_minutes"] + 1)
for watcher in record["watchers"]:
    key, texts = Ed25519PublicKey.from_public_bytes(bytes.fromhex(watcher["public_key"])), base64.b64decode(watcher["readings"])
    own = [(one, M(one["minute"]), line) for line in zlib.decompress(texts).decode().splitlines() for one in [read(line, key)]]
    own = [one for one in own if one[1] in minutes]
    gone = {minute for one, minute, _ in own if one["installation"] != record["by"]}  # of another system
    for (a, low, line), (b, high, _) in itertools.pairwise(own):  # two histories, or a clock that was set back
        if low >= high or b["sequence"] != a["sequence"] + 1 or b["previous"] != hashlib.sha256(line.encode()).hexdigest():
            gone |= set(range(min(low, high), max(low, high) + 1))
    for part, seen, minute in ((*pair, minute) for one, minute, _ in own if minute not in gone for pair in one["components"].items()):
        votes[part, minute] = votes.get((part, minute), 0) + (seen["tries"] > 0 and 2 * seen.get("failures", 0) >= seen["tries"])
for act, needed in record["needed_for"].items():
    failed = {minute for minute in minutes if any(2 * votes.get((part, minute), 0) > len(record["watchers"]) for part in needed)}
    found = [sorted(m for m in failed if not failed & {m + side * gap for gap in near}) for side in (-1, 1)]  # first ones, last ones
    assert [[a, b + 1] for a, b in zip(*found)] == [[M(one["begin"]), M(one["end"])] for one in record["failed"][act]], act
    print(act, *(f"failed from {datetime.fromtimestamp(60 * a, UTC)} to {datetime.fromtimestamp(60 * b + 60, UTC)}" for a, b in zip(*found)))
