"""Fuzzing of the bodies that anybody may send to a provider's route, before the signature is checked.

`python -m fuzz.signing --seconds N CORPUS_DIR`.  There are two kinds of findings: white space that is not removed according
to JSON, and an input whose cost grows faster than its length.
"""

import argparse
import sys
import time
from pathlib import Path

from meterai.payments.adapters.snap.signing import minified

SHORT_BYTES, LONG_BYTES = 8 * 1024, 64 * 1024  # a notification has at most the longer one
GROWTH_MAX = 4.0 * LONG_BYTES / SHORT_BYTES  # proportional cost gives 8, quadratic 64
INPUT_BYTES_MAX = 64
ROUNDS = 5
PIECES = (b'"', b'"\\', b'\\"', b'"a', b'" ', b'"\\"', b'"\\\n', b"\\", b" ", b'{"a": "b"}', b"a ")


def by_hand(body: bytes) -> bytes:
    """Return the expected result of `minified`, computed octet by octet (RFC 8259, sections 2 and 7)."""
    kept, is_inside, is_escaped = bytearray(), False, False
    for octet in body:
        if not is_inside and octet in b" \t\n\r":
            continue
        kept.append(octet)
        if is_escaped:
            is_escaped = False
        elif is_inside and octet == ord("\\"):
            is_escaped = True
        elif octet == ord('"'):
            is_inside = not is_inside
    return bytes(kept)


def growth(piece: bytes) -> float:
    """Return the cost of a long body of these pieces divided by that of a short body (lowest costs of some rounds)."""

    def cost(size: int) -> float:
        body = (piece * (size // len(piece) + 1))[:size]
        best = float("inf")
        for _ in range(ROUNDS):
            begun = time.thread_time_ns()
            minified(body)
            best = min(best, time.thread_time_ns() - begun)
        return best

    return cost(LONG_BYTES) / max(cost(SHORT_BYTES), 1.0)


def check(octets: bytes) -> None:
    """Check an input: the result is right, and the cost is proportional."""
    if minified(octets) != by_hand(octets):
        raise AssertionError("white space is not what was removed")
    if octets and growth(octets) > GROWTH_MAX:
        raise AssertionError("the cost grows faster than the length")


def main() -> None:
    """Read the arguments, write the seeds, fuzz until the time is over."""
    import atheris  # noqa: PLC0415 - the tests use what is above without it

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("corpus", type=Path)
    parser.add_argument("--seconds", type=int, default=60)
    asked = parser.parse_args()
    inputs, findings = asked.corpus / "signing", asked.corpus / "findings"
    for directory in (findings, inputs):
        directory.mkdir(parents=True, exist_ok=True)
    for number, piece in enumerate(PIECES):
        (inputs / f"seed-{number}").write_bytes(piece)
    atheris.Setup(
        [
            sys.argv[0],
            f"-max_total_time={asked.seconds}",
            f"-max_len={INPUT_BYTES_MAX}",
            f"-artifact_prefix={findings}/signing-",
            str(inputs),
        ],
        atheris.instrument_func(check),
    )
    atheris.Fuzz()


if __name__ == "__main__":
    main()
