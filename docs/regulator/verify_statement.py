"""Compute a statement of duty from the daily extracts of a month: python3 verify_statement.py KEY.pem FOLDER 2026-11

Needs Python and `cryptography`.  FOLDER has for each day DAY.json (the signed manifest) and DAY.jsonl.gz (the rows).
"""
import collections, datetime, gzip, hashlib, json, pathlib, sys  # noqa: E401
from base64 import urlsafe_b64decode

from cryptography.hazmat.primitives.serialization import load_pem_public_key

key = load_pem_public_key(open(sys.argv[1], "rb").read())
folder, month, begin, opening, before, n = pathlib.Path(sys.argv[2]), sys.argv[3], "", {}, "", 0
moved, of = collections.Counter(), collections.Counter()  # by book; by fact and book
read = lambda text: urlsafe_b64decode(text + "=" * (-len(text) % 4))  # noqa: E731
for path in sorted(folder.glob(f"{month}-*.json")):
    jws = json.loads(text := path.read_bytes())
    key.verify(read(jws["signature"]), f"{jws['protected']}.{jws['payload']}".encode())
    day = json.loads(read(jws["payload"]))
    assert json.loads(read(jws["protected"])) == {"alg": "EdDSA", "typ": "meterai extract"}
    before = before or (day["before"] if path.stem.endswith("-01") else "")  # the first of all days names none
    assert path.stem == day["day"] and before == day["before"], f"a day is missing before {path}"
    begin, opening, before = begin or path.stem, opening or day["opening"], hashlib.sha256(text).hexdigest()
    assert hashlib.sha256((folder / day["file"]).read_bytes()).hexdigest() == day["sha256"], f"{path}: another file"
    for row in map(json.loads, gzip.open(folder / day["file"])):
        assert row["at"][:10] == day["day"]
        for book, amount in (row["rupiah"] | row["stamps"]).items():
            moved[book] += amount
            of[row["fact"], book] += amount
        n, day["rows"] = n + 1, day["rows"] - 1
    assert day["rows"] == 0, f"{path} has another number of rows"
free, duty, back = "stamps_available", "duty_payable", ("payment_denied", "loss_recovered", "stamps_recovered", "correction")
asked, paid = ("refund_requested", "stamps_returned"), of["duty_paid_out", duty] + of["collector_deposited", duty]
after = datetime.date.fromisoformat(path.stem) + datetime.timedelta(1)
print("days from", begin, "whole" if after.day == 1 else f"until {path.stem}", "facts", n)
print("opening", opening[free], opening[duty])
print("sold", of["stamps_issued", free] - of["stamps_affixed", "stamps_ordered"], of["stamps_issued", duty] + of["stamps_affixed", duty])
print("affixed", moved["stamps_affixed"], moved["stamps_affixed"] * 10_000)
print("refunded", -sum(of[one, free] for one in asked), -sum(of[one, duty] for one in asked))
print("charged_back", -sum(of[one, free] for one in back), -sum(of[one, duty] for one in back))
print("due", (moved[duty] - paid) // 10_000, moved[duty] - paid, "\npaid_out", 0, paid)
print("closing", opening[free] + moved[free], opening[duty] + moved[duty])
