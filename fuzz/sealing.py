"""Coverage-guided fuzzing of the sealing room: `python -m fuzz.sealing TARGET --seconds N corpus_dir`.

A target gets bytes and must end with an answer, a `Refusal` or a `Report`. Any other exception is a finding, and so is an
input that takes longer than `INPUT_SECONDS_MAX`. Findings are written to the folder `findings` of the corpus directory;
minimized findings belong into `tests/sealing/regressions`.
"""

import argparse
import sys
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["meterai.sealing"]):
    from meterai import sealing
    from meterai.kit.refusal import Refusal
    from meterai.kit.serial import SerialMaker
    from meterai.sealing import claim
    from meterai.sealing.signing import cms, der

from fuzz import seeds

AT = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
CHECK_URL = "https://meterai.example/c/"
INPUT_SECONDS_MAX = 5  # of one input on a busy machine; the promise is two seconds of CPU
INPUT_BYTES_MAX = 65_536  # larger inputs find nothing that these do not, and cost more
PLACES = [sealing.Placement(1, 20, 20, 65), sealing.Placement(sealing.LAST_PAGE, 100, 100, 65)]

Target = Callable[[bytes], None]


class Targets:
    """The functions of the room that are fuzzed, with the arguments that they need besides the bytes."""

    def __init__(self, issuer: sealing.Issuer) -> None:
        self._issuer = issuer
        serials = SerialMaker(7)
        self._stamps = [sealing.Stamp(serials.make(), place) for place in PLACES]
        assert issuer.claim_key is not None
        self._claim_keys = {issuer.claim_key.id: issuer.claim_key.public}

    def seal(self, document: bytes) -> None:
        """Open, inspect and seal a document. The sealed document must be genuine, unless the document was manipulated
        before.
        """
        try:
            sealing.inspect(document, PLACES)
            delta = sealing.seal(
                document, self._stamps, self._issuer, at=AT, check_url=CHECK_URL, specimen=True
            )
        except Refusal:
            return
        before = sealing.verify(document, [self._issuer.root], at=AT).verdict
        after = sealing.verify(document + delta.data, [self._issuer.root], at=AT).verdict
        untouched = {sealing.Verdict.NOT_SEALED, sealing.Verdict.FOREIGN_SEAL}
        if before in untouched and after is not sealing.Verdict.GENUINE:
            raise AssertionError(f"sealed, and then {after}")

    def verify(self, document: bytes) -> None:
        """Verify a document. It may be good only if it begins with a sealed seed, and genuine only if it is that seed."""
        report = sealing.verify(document, [self._issuer.root], at=AT, claim_keys=self._claim_keys)
        if report.verdict.is_good and not seeds.is_sealed(document[: report.sealed_bytes]):
            raise AssertionError(f"{report.verdict}, but not ours")
        if report.verdict is sealing.Verdict.GENUINE and not seeds.is_sealed(document):
            raise AssertionError("genuine, and longer than what was sealed")

    def container(self, octets: bytes) -> None:
        """Read DER, and the container (SignedData) of a seal."""
        der.is_strict(octets)
        try:
            cms.read(octets)
        except cms.SignedDataUnreadable:
            return

    def claim(self, octets: bytes) -> None:
        """Read the text of a QR code."""
        try:
            claim.read(octets.decode("latin-1"), self._claim_keys)
        except Refusal:
            return


def main() -> None:
    """Read the arguments, write the seeds, fuzz until the time is over."""
    names = [name for name in vars(Targets) if not name.startswith("_")]
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("target", choices=names)
    parser.add_argument("corpus", type=Path)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    findings = asked.corpus / "findings"
    inputs = asked.corpus / asked.target
    for directory in (findings, inputs):
        directory.mkdir(parents=True, exist_ok=True)
    keys = Path(tempfile.mkdtemp()) / "issuer"
    issuer = sealing.development_issuer(keys, at=AT)
    for name, octets in seeds.of(asked.target, issuer, AT, CHECK_URL).items():
        (inputs / name).write_bytes(octets)
    arguments = [
        sys.argv[0],
        f"-max_total_time={asked.seconds}",
        f"-timeout={INPUT_SECONDS_MAX}",
        f"-max_len={INPUT_BYTES_MAX}",
        f"-seed={asked.seed}",
        f"-dict={Path(__file__).with_name('pdf.dict')}",
        f"-artifact_prefix={findings}/{asked.target}-",
        "-rss_limit_mb=1500",
        "-print_final_stats=1",
        str(inputs),
    ]
    atheris.Setup(arguments, getattr(Targets(issuer), asked.target))
    atheris.Fuzz()


if __name__ == "__main__":
    main()
