"""A later signature by an honest program keeps our seal: genuine, then extended.

`scripts.strangers` runs the programs that are not installed with ours.
"""

import io
import shutil
import subprocess
from typing import Any

import pytest
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign import fields, signers

from meterai.sealing import Placement, Verdict
from tests.support.attacks.evidence import with_evidence
from tests.support.attacks.lab import EMPTY_PAPER, OVER_WORDS
from tests.support.pdf import pdf
from tests.support.pdfmaker import letter

SECONDS_MAX = 60

STAMPED = {
    "plain": lambda lab: lab.sealed,
    "two-stamps": lambda lab: lab.seal(lab.original, Placement(1, 20, 20), Placement(2, 20, 20)),
    "stamped-twice": lambda lab: lab.seal(lab.sealed, Placement(2, 20, 20)),
    "signed-first": lambda lab: lab.seal(lab.signed(lab.original, "Pertama")),
    "object-streams": lambda lab: lab.sealed_of(letter(2), style="stream", packed=[1, 2, 3, 4]),
    "hybrid": lambda lab: lab.sealed_of(letter(2), style="hybrid", packed=[3, 6]),
    "with-evidence": with_evidence,
}
SIGNED: dict[str, dict[str, Any]] = {
    "hidden": {},
    "visible": {"on_page": 0, "box": EMPTY_PAPER},
    "over-the-words": {"on_page": 0, "box": OVER_WORDS},
    "sha512": {"digest": "sha512"},
}


@pytest.fixture(scope="module", params=STAMPED)
def stamped(request, lab):
    return STAMPED[request.param](lab)


@pytest.mark.parametrize("how", SIGNED)
def test_stamped_file_signed_by_pyhanko_is_genuine_then_extended(lab, stamped, how):
    before = lab.verify(stamped)
    assert before.verdict is Verdict.GENUINE
    signed = lab.signed(stamped, **SIGNED[how])
    assert signed.startswith(stamped)
    report = lab.verify(signed)
    assert report.verdict is Verdict.GENUINE_THEN_EXTENDED
    assert report.sealed_bytes == len(stamped)
    assert report.sha256_sealed == before.sha256_sealed
    assert report.serials == before.serials
    assert [one.signer for one in report.later] == ["Notaris Budi"]


def test_encrypted_file_signed_after_stamping_is_genuine_then_extended(lab):
    stamped = lab.seal(pdf(owner_password="rahasia"))
    writer = IncrementalPdfFileWriter(io.BytesIO(stamped), strict=False)
    writer.encrypt(b"")
    place = fields.SigFieldSpec("Notaris", on_page=0, box=EMPTY_PAPER)
    meta = signers.PdfSignatureMetadata(field_name="Notaris")
    signer = signers.PdfSigner(meta, lab.stranger, new_field_spec=place)
    report = lab.verify(bytes(signer.sign_pdf(writer).getvalue()))
    assert report.verdict is Verdict.GENUINE_THEN_EXTENDED
    assert report.sealed_bytes == len(stamped)


# Other people's readers on the sealed revision


def said_by(*command: str) -> tuple[int, str]:
    if shutil.which(command[0]) is None:
        pytest.skip(f"{command[0]} is not on this machine")
    done = subprocess.run(command, capture_output=True, timeout=SECONDS_MAX, check=False)
    return done.returncode, (done.stdout + done.stderr).decode("utf-8", "replace")


@pytest.fixture
def revision(lab, stamped, tmp_path):
    """The sealed revision, cut from a file that was signed later."""
    signed = lab.signed(stamped, on_page=0, box=EMPTY_PAPER)
    path = tmp_path / "revision.pdf"
    path.write_bytes(signed[: lab.verify(signed).sealed_bytes])
    return path


def test_qpdf_finds_no_fault_in_sealed_revision(revision):
    status, said = said_by("qpdf", "--check", str(revision))
    assert status == 0, said


def test_pdfsig_accepts_sealed_revision(revision, request):
    _, said = said_by("pdfsig", "-nocert", str(revision))
    newest = [one for one in said.split("Signature #") if "Meterai_" in one][-1]
    assert "Signature is Valid" in newest
    # Our evidence follows the seal, and no signature covers it.
    if "with-evidence" not in request.node.callspec.id:
        assert "Total document signed" in newest
