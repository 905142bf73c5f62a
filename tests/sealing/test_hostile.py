"""Input made to hurt: each is a named refusal or sealed, with bounded work and memory."""

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

# A million calls are a fifth of a second on an idle machine.  What works without calls is found by the seconds.
CALLS_MAX = 8_000_000  # of sealing, which somebody pays for
CHECKING_CALLS_MAX = 2_000_000  # of our own process
CPU_SECONDS_MAX = 2.0
MEMORY_BYTES_MAX = 200 * 1024 * 1024  # above what the process has before
REGRESSIONS = sorted((Path(__file__).parent / "regressions").glob("*"))

# Those that ask for memory: the others are measured by the clock alone.
GREEDY = [
    "sections-claiming-the-file", "streams-claiming-the-file", "rows-bomb", "predicted-rows",
    "table-bomb", "same-page-often", "same-signature-often", "kids-by-the-million",
    "annotations-by-the-hundred-thousand", "structure-of-many-keys",
]  # fmt: skip


# What takes a second or more: without them a whole run of the others is quick.
LONG = {
    *GREEDY,
    "kids-without-pages",
    "pages-by-the-hundred-thousand",
    "many-subsections",
    "too-many-fields",
}


def sealed_or_refused(bench, document):
    """What sealing says, and what it and verifying cost."""
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


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.soak] * (name in LONG)) for name in HOSTILE]
)
def test_a_hostile_document_costs_no_more_than_it_may(bench, plain, name):
    bench.sealed(plain)  # what is made once is not counted
    assert sealed_or_refused(bench, HOSTILE[name].make()) == HOSTILE[name].outcome


def test_inspecting_a_hostile_document_says_the_same():
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
def test_a_hostile_document_gets_no_more_memory_than_it_is_given(name):
    done = subprocess.run(
        [sys.executable, "-c", _MEASURE, name, AT.isoformat()],
        capture_output=True,
        check=True,
        preexec_fn=_limited,
    )
    assert json.loads(done.stdout) < MEMORY_BYTES_MAX


@pytest.mark.parametrize("path", REGRESSIONS, ids=lambda path: path.name)
def test_what_a_fuzzer_found_stays_fixed(bench, path):
    sealed_or_refused(bench, path.read_bytes())
