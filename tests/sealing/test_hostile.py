"""Hostile input: each file is sealed or refused by name, with bounded work and memory."""

import json
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from meterai.kit.refusal import Refusal
from meterai.sealing import CheckReport, Placement, inspect
from tests.sealing.conftest import AT
from tests.support.hostile import HOSTILE
from tests.support.yardstick import slowness, spending

# A million calls are a fifth of a second on an idle machine.  Work without calls is found by the seconds.
CALLS_MAX = 8_000_000  # of sealing, which is paid for
CHECKING_CALLS_MAX = 2_000_000  # of our own process
CPU_SECONDS_MAX = 2.0
MEMORY_BYTES_MAX = 200 * 1024 * 1024  # above the memory of the process at the start
REGRESSIONS = sorted((Path(__file__).parent / "regressions").glob("*"))

# Files that need much memory; the others are measured by time alone.
GREEDY = [
    "sections-claiming-the-file", "streams-claiming-the-file", "rows-bomb", "predicted-rows",
    "table-bomb", "same-page-often", "same-signature-often", "kids-by-the-million",
    "annotations-by-the-hundred-thousand", "structure-of-many-keys",
]  # fmt: skip


# Files that take a second or more. Without them, a run of the others is quick.
LONG = {
    *GREEDY,
    "kids-without-pages",
    "pages-by-the-hundred-thousand",
    "many-subsections",
    "too-many-fields",
}


def sealed_or_refused(bench, document):
    """Outcome of sealing, and the cost of sealing and verification."""
    with spending() as sealing:
        try:
            bench.delta(document, Placement(1, 20, 20, 65))
            said = "sealed"
        except Refusal as refusal:
            said = refusal.code
    with spending() as verifying:
        report = bench.verify(document)
    assert isinstance(report, CheckReport)
    assert not report.verdict.is_good
    assert sealing.calls < CALLS_MAX
    assert verifying.calls < CHECKING_CALLS_MAX
    assert max(sealing.seconds, verifying.seconds) < CPU_SECONDS_MAX * slowness()
    return said


@pytest.mark.sample(15)
@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.soak] * (name in LONG)) for name in HOSTILE]
)
def test_hostile_document_stays_within_cost_limits(bench, plain, name):
    bench.sealed(plain)  # so that one-time work is not counted
    assert sealed_or_refused(bench, HOSTILE[name].make()) == HOSTILE[name].outcome


def test_inspection_of_hostile_document_has_same_outcome():
    for name in ("kids-in-a-loop", "cyclic-length", "limits-without-end", "size-huge"):
        with pytest.raises(Refusal) as refused:
            inspect(HOSTILE[name].make(), [Placement(1, 20, 20, 65)])
        assert refused.value.code == HOSTILE[name].outcome, name


_MEASURE = """
import json, resource, sys
from datetime import datetime
from meterai.kit.refusal import Refusal
from meterai.sealing import Placement, inspect, verify
from tests.support.hostile import HOSTILE

document = HOSTILE[sys.argv[1]].make()
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
try:
    inspect(document, [Placement(1, 20, 20, 65)])
except Refusal:
    pass
verify(document, [], at=datetime.fromisoformat(sys.argv[2]))
print(json.dumps(1024 * (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)))
"""


def _limited() -> None:
    limit = 4 * 1024**3
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))


@pytest.mark.soak
@pytest.mark.parametrize("name", GREEDY)
def test_hostile_document_stays_within_memory_limit(name):
    done = subprocess.run(
        [sys.executable, "-c", _MEASURE, name, AT.isoformat()],
        capture_output=True,
        check=True,
        preexec_fn=_limited,
    )
    assert json.loads(done.stdout) < MEMORY_BYTES_MAX


@pytest.mark.parametrize("path", REGRESSIONS, ids=lambda path: path.name)
def test_finding_of_fuzzer_stays_fixed(bench, path):
    sealed_or_refused(bench, path.read_bytes())
