"""Sign each file of a folder by endesive: KEYS.p12 PASSWORD FROM TO. It runs in its own environment."""

import sys
from pathlib import Path

from cryptography.hazmat.primitives.serialization import pkcs12
from endesive import pdf

keys, password, source, target = sys.argv[1:]
key, certificate, others = pkcs12.load_key_and_certificates(
    Path(keys).read_bytes(), password.encode()
)
SAID = {
    "aligned": 0,
    "sigflags": 3,
    "sigflagsft": 132,
    "sigpage": 0,
    "sigfield": "Notaris",
    "signaturebox": (300, 300, 450, 360),
    "signature": "Notaris",
    "contact": "",
    "location": "",
    "signingdate": "D:20261129080000+00'00'",
    "reason": "Saya setuju",
}
for path in sorted(Path(source).iterdir()):
    try:
        document = path.read_bytes()
        added = pdf.cms.sign(document, SAID, key, certificate, others or [], "sha256")
        (Path(target) / path.name).write_bytes(document + added)
    except Exception as cause:
        sys.stderr.write(f"{path.name}: {cause!r}\n")
