"""Check a draw without any program of the operator: python3 verify_draw.py draw.json entries.txt [ENTRY]

Standard library only.  It checks the list, its root, the times, the round, the seed, the order and an
entry's number.  Left to other programs: the operator's signatures (any Ed25519 tool), and drand's signature
of the round that is printed (any drand client: `drand get public --round`, or api.drand.sh).  The printed
chain must be quicknet with the key 83cf0f2896adee7e...: a chain of the operator's own is no public beacon.
In records of earlier releases parties added secrets; whether they had committed to them is not checked here.
"""
import hashlib, hmac, itertools, json, sys  # noqa: E401

H = lambda octets: hashlib.sha256(octets).digest()  # noqa: E731
bodies = {part["kind"]: part["body"] for part in json.load(open(sys.argv[1]))["parts"]}
hashes = {kind: H(f"meterai draw 1 {kind}\n{body}".encode()) for kind, body in bodies.items()}
body = {kind: json.loads(text) for kind, text in bodies.items()}
for before, after in itertools.pairwise(bodies):
    assert body[after]["after"] == hashes[before].hex(), f"the {after} is not of this {before}"
plan, closing, result = body["announcement"], body["closing"], body["result"]
text = open(sys.argv[2]).read()
entries = [bytes.fromhex(text[at : at + 33]) for at in range(0, len(text), 33)]
assert all(a < b for a, b in itertools.pairwise(entries)), "the list is not sorted, or has one twice"
assert len(entries) == closing["count"] == result["count"], "another number of entries"
level = [H(b"\0" + entry) for entry in entries] or [H(b"")]
while len(level) > 1:
    pairs = [H(b"\1" + left + right) for left, right in zip(level[::2], level[1::2])]
    level = pairs + level[2 * len(pairs) :]
assert level[0].hex() == closing["root"], "the root is not that of the list"
secrets = {one["name"]: one["secret"] for one in body.get("reveals", {"revealed": []})["revealed"]}
chain, revealed = plan["chain"], plan["reveals_until"]
round_at = chain["genesis_time"] + (plan["round"] - 1) * chain["period"]
assert plan["closes_at"] <= closing["at"] <= plan["published_by"] <= revealed, "the times are wrong"
assert revealed <= round_at - 60 < revealed + chain["period"], "another round than the announced times give"
assert plan["round_is_used"] == "always", "the round of the beacon may have been left out"
values = [secrets.get(party["name"]) for party in plan["parties"]]
values.append(hashlib.sha256(bytes.fromhex(result["round_signature"])).hexdigest())
seed = b"meterai draw 1 seed\n" + hashes["announcement"] + level[0] + len(entries).to_bytes(8, "big")
seed = H(seed + b"".join(b"\1" + bytes.fromhex(value) if value else b"\0" for value in values))
assert seed.hex() == result["seed"] and closing["line"] == plan["line"], "the seed does not follow"
order = sorted(entries, key=lambda entry: hmac.digest(seed, entry, "sha256"))
assert H(b"".join(order)).hex() == result["order"], "the order does not follow from the seed"
print("holds if the parties had committed to their secrets:" if plan["parties"] else "holds:", len(order),
      "entries, round", plan["round"], result["round_signature"], "of", chain["beacon"], chain["public_key"])
if sys.argv[3:]:
    print("number", order.index(bytes.fromhex(sys.argv[3])) + 1)
