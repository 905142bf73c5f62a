"""Records: proposed, confirmed by two, sealed, replaced and withdrawn."""

import hashlib
import json
import random
from datetime import timedelta

import msgspec
import pytest

from meterai.approvals import ApprovalState
from meterai.approvals.model import OwnRequest
from meterai.kit.components import Component, PublicAct
from meterai.kit.lifecycle import NotAllowedNow
from meterai.outages.invariants import as_derived
from meterai.outages.model import (
    LeftOutReason,
    Outage,
    OutageNeedsStaff,
    OutageNone,
    OutageNotReplaced,
    OutageOverlaps,
    OutageReplaced,
    OutageState,
    OutageTimeWrong,
    OutageUnknown,
    OutageUnmeasured,
    RecordWrong,
)
from meterai.outages.papers import StampingTry
from meterai.outages.record import READINGS_BYTES_MAX, packed
from meterai.outages.rules import Signed
from meterai.outages.service import SIGNED
from meterai.plumbing.db.checks import AuditedPart
from meterai.plumbing.readings import FAULTS_MAX, KIND, WATCHERS_MAX, Measured
from tests.support.outages import FAILED, MINUTES, Keeping
from tests.support.pulling import member
from tests.support.readings import BEGIN, SigningWatcher, at, fails


def periods(outage: Outage) -> list[tuple[int, int]]:
    return [
        ((one.begin - BEGIN) // timedelta(minutes=1), (one.end - BEGIN) // timedelta(minutes=1))
        for one in outage.findings.failed[PublicAct.AFFIX]
    ]


def test_proposal_keeps_the_derived_findings(keeping: Keeping) -> None:
    outage = keeping.again(keeping.propose())
    assert periods(outage) == [(FAILED.start, FAILED.stop)]
    assert outage.findings.failed[PublicAct.BUY] == []
    assert [one.readings for one in outage.findings.watchers] == [MINUTES] * 3
    assert (outage.state, outage.is_public) == (OutageState.PROPOSED, False)
    assert keeping.actions(outage) == ["outage_proposed"]
    keeping.assert_holds()


def test_time_without_a_majority_of_readings_is_refused(keeping: Keeping) -> None:
    for name in ("jakarta", "surabaya"):
        (keeping.folder / name / "readings" / f"{BEGIN.date()}.jsonl").unlink()
    with pytest.raises(OutageUnmeasured) as refused:
        keeping.propose()
    assert refused.value.silent == "jakarta, surabaya"
    with pytest.raises(OutageUnmeasured):
        keeping.propose(2 * MINUTES, 3 * MINUTES)


def test_time_in_which_nothing_failed_is_refused(keeping: Keeping) -> None:
    with pytest.raises(OutageNone):
        keeping.propose(FAILED.stop, MINUTES)


@pytest.mark.parametrize(("begin", "end"), [(10, 10), (20, 10), (0, 24 * 60 + 1)])
def test_invalid_time_of_a_record_is_refused(keeping: Keeping, begin: int, end: int) -> None:
    with pytest.raises(OutageTimeWrong):
        keeping.propose(begin, end)


def test_unsigned_line_breaks_the_chain_and_is_named(keeping: Keeping) -> None:
    file = keeping.folder / "jakarta" / "readings" / f"{BEGIN.date()}.jsonl"
    lines = file.read_text().splitlines()
    told = json.loads(lines[15])
    told["payload"] = json.loads(lines[14])["payload"]
    lines[15] = json.dumps(told)
    file.write_text("\n".join([*lines, "not json", '{"payload": 1}', ""]))
    outage = keeping.propose()
    assert periods(outage) == [(FAILED.start, FAILED.stop)]  # by the other two watchers
    [out] = outage.findings.left_out
    assert (out.watcher, out.begin, out.end, out.why) == (
        "jakarta",
        at(14),
        at(17),
        LeftOutReason.CHAIN,
    )


def test_minute_without_a_zone_breaks_the_chain_of_its_watcher_and_is_named(
    keeping: Keeping,
) -> None:
    jakarta = keeping.watchers[0]
    file = keeping.folder / jakarta.name / "readings" / f"{BEGIN.date()}.jsonl"
    lines = file.read_text().splitlines()
    odd = msgspec.to_builtins(jakarta.documents[15].reading) | {"minute": "2024-09-03T12:15:00"}
    lines[15] = jakarta.signer.sign(KIND, odd)
    file.write_text("\n".join(lines))
    outage = keeping.propose()
    assert periods(outage) == [(FAILED.start, FAILED.stop)]  # by the other two watchers
    [out] = outage.findings.left_out
    assert (out.watcher, out.begin, out.end, out.why) == (
        "jakarta",
        at(14),
        at(17),
        LeftOutReason.CHAIN,
    )
    keeping.assert_holds()


def test_watcher_with_oversized_readings_does_not_affect_others(
    keeping: Keeping,
) -> None:
    span, midnight = range(700, 740), 12 * 60
    assert span.start < midnight < span.stop  # one file a day, each short enough
    keeping.watch(fails(*span), minutes=760)
    jakarta = keeping.watchers[0]
    for number in span:
        told = jakarta.documents[number]
        spaces = " " * (READINGS_BYTES_MAX // 30)
        jakarta.documents[number] = Signed(told.document[:-1] + spaces + "}", told.reading)
    jakarta.publish(keeping.folder / jakarta.name)
    outage = keeping.propose(span.start, span.stop)
    assert periods(outage) == [(span.start, span.stop)]
    assert [one.readings for one in outage.findings.watchers] == [0, len(span), len(span)]
    keeping.assert_holds()
    keeping.confirm(outage)
    assert keeping.seal() == 1


def test_day_of_many_faults_fits_into_a_record() -> None:
    chance, day = random.Random(1), 24 * 60
    codes = [f"fault_number_{number}" for number in range(30)]

    def faulty(_: int) -> dict[Component, Measured]:
        return {
            one: Measured(chance.randrange(60), 9, 9, chance.randrange(9999), tuple(chance.sample(codes, 6)))
            for one in Component
        }  # fmt: skip

    def endless(_: int) -> dict[Component, Measured]:
        words = tuple("".join(chance.choices("abcdefgh_0123", k=60)) for _ in range(FAULTS_MAX))
        return dict.fromkeys(Component, Measured(1, 1, faults=words))

    watcher = SigningWatcher("jakarta").measure(range(day), faulty)
    content, found = packed(watcher.known(), watcher.documents)
    assert found == watcher.documents
    assert WATCHERS_MAX * len(content) < 10 * 1024 * 1024
    watcher = SigningWatcher("jakarta").measure(range(day), endless)
    with pytest.raises(RecordWrong):
        packed(watcher.known(), watcher.documents)


def test_record_is_confirmed_by_another_person_and_sealed_by_the_worker(keeping: Keeping) -> None:
    outage = keeping.propose()
    one, other = keeping.staff()
    pulled = one.pull("outage confirm", outage=outage.shown)
    assert keeping.again(outage).state == OutageState.PROPOSED
    with pytest.raises(OwnRequest):
        one.decide(pulled)
    assert keeping.seal() == 0
    assert other.decide(pulled).state == ApprovalState.EXECUTED
    assert keeping.seal() == 1
    assert keeping.seal() == 0
    found = keeping.again(outage)
    assert (found.state, found.is_public) == (OutageState.CONFIRMED, True)
    assert keeping.actions(outage) == ["outage_proposed", "outage_confirmed", "outage_sealed"]
    keeping.assert_holds()


def test_record_is_sealed_by_the_next_run_after_a_crash(
    keeping: Keeping, monkeypatch: pytest.MonkeyPatch
) -> None:
    outage = keeping.propose()
    keeping.confirm(outage)
    with monkeypatch.context() as dying:
        dying.setattr("meterai.outages.store.sealed", None)  # the last statement of the step
        assert keeping.seal() == 0
    found = keeping.again(outage)
    assert (found.state, found.is_public) == (OutageState.CONFIRMED, False)
    with pytest.raises(OutageUnknown):
        keeping.file(outage, SIGNED)
    keeping.shop.arrange("DELETE FROM round_faults")  # ends its pause
    assert keeping.seal() == 1
    assert keeping.file(outage, SIGNED)
    keeping.assert_holds()


def test_two_workers_seal_a_record_once(keeping: Keeping) -> None:
    outage = keeping.propose()
    keeping.confirm(outage)
    [due] = keeping.shop.do(keeping.shop.container.database.once(_due))
    assert keeping.seal() == 1
    before = keeping.file(outage, SIGNED)
    files = {SIGNED: b"another", "id.pdf": b"", "en.pdf": b""}
    keep = keeping.service._keep_sealed
    keeping.shop.do(keeping.shop.container.database.run(lambda tx: keep(due.id, files, tx)))
    assert keeping.file(outage, SIGNED) == before


async def _due(tx: object) -> list[Outage]:
    from meterai.outages import store  # noqa: PLC0415

    return list(await store.to_seal(tx, 10))  # type: ignore[arg-type]


def test_operator_without_a_supervisor_confirms_nothing(keeping: Keeping) -> None:
    from meterai.accounts import Permission  # noqa: PLC0415
    from meterai.approvals.pulling import Puller, pull_in  # noqa: PLC0415
    from meterai.outages.levers import CONFIRM, OutageArguments  # noqa: PLC0415
    from tests.support.shop import TESTER  # noqa: PLC0415

    outage = keeping.propose()
    who = Puller(TESTER, None, frozenset(Permission))
    wish = who.pull(at(0), "a test", keeping.shop.container.settings)
    with pytest.raises(OutageNeedsStaff):
        keeping.shop.do(
            keeping.shop.container.database.run(
                lambda tx: pull_in(tx, CONFIRM, OutageArguments(outage.shown), who, wish)
            )
        )


def test_withdrawn_proposal_is_not_confirmed_and_a_confirmed_record_is_not_withdrawn(
    keeping: Keeping,
) -> None:
    outage, other = keeping.propose(), keeping.propose()
    staff = member(keeping.shop, "supervisor")
    assert staff.pull("outage withdraw", outage=outage.shown).is_done
    assert keeping.again(outage).state == OutageState.WITHDRAWN
    with pytest.raises(NotAllowedNow):
        staff.pull("outage confirm", outage=outage.shown)
    keeping.confirm(other)
    with pytest.raises(NotAllowedNow):
        staff.pull("outage withdraw", outage=other.shown)
    keeping.seal()
    keeping.assert_holds()


def test_later_record_replaces_the_one_it_names(keeping: Keeping) -> None:
    first = keeping.sealed()
    keeping.watch(fails(*range(10, 40)))
    second = keeping.propose()
    one, other = keeping.staff()
    pulled = one.pull("outage confirm", outage=second.shown)
    with pytest.raises(OutageOverlaps):
        other.decide(pulled)
    one.withdraw(pulled)
    third = keeping.sealed(replaces=first.id)
    before = keeping.again(first)
    assert (before.state, before.is_public) == (OutageState.REPLACED, True)
    told, replaced_by = keeping.shop.do(keeping.service.public_one(first.id))
    assert replaced_by is not None
    assert (told.id, replaced_by.id) == (first.id, third.id)
    assert keeping.file(first, SIGNED)
    with pytest.raises(OutageNotReplaced):
        keeping.propose(replaces=first.id)
    keeping.assert_holds()


@pytest.mark.parametrize(("begin", "end"), [(57, 120), (0, 59), (1, 60)])
def test_record_is_replaced_only_by_one_that_covers_its_whole_time(
    keeping: Keeping, begin: int, end: int
) -> None:
    keeping.watch(fails(*range(10, 59)), minutes=120)
    first = keeping.sealed()
    with pytest.raises(OutageNotReplaced):
        keeping.propose(begin, end, replaces=first.id)
    assert keeping.propose(0, 61, replaces=first.id).replaces == first.id


def test_copy_of_a_replaced_record_is_refused_with_the_one_that_replaced_it(
    keeping: Keeping,
) -> None:
    first = keeping.sealed()
    attempt = StampingTry(["a" * 64], at(15), is_in_books=False)
    assert keeping.shop.do(keeping.service.copy(first, attempt, "en"))
    second = keeping.sealed(replaces=first.id)
    with pytest.raises(OutageReplaced) as refused:
        keeping.shop.do(keeping.service.copy(first, attempt, "en"))
    assert refused.value.by == second.shown


@pytest.mark.parametrize(
    "change",
    [
        # A longer period with a matching hash, and readings of another minute with theirs.
        "UPDATE outages SET findings = jsonb_set(findings, '{failed,affix,0,end}', '\"2024-09-03T12:45:00Z\"')",
        "UPDATE outages SET findings = jsonb_set(findings, '{failed,affix}', '[]')",
        "UPDATE outages SET begins_at = begins_at + interval '15 minutes'",
        "UPDATE outage_files SET content = 'x', sha256 = sha256('x') WHERE file = 'readings/jakarta'",
        "DELETE FROM outage_files WHERE file = 'readings/jakarta'",
    ],
)
def test_audit_derives_each_record_again(keeping: Keeping, change: str) -> None:
    outage = keeping.propose()
    keeping.shop.arrange(change)
    found = keeping.again(outage).findings
    # As a forger would, to make the hash match.
    sha256 = hashlib.sha256(found.as_json()).digest()
    keeping.shop.arrange("UPDATE outages SET findings_sha256 = %s", sha256)
    container = keeping.shop.container
    part = AuditedPart(container.database, container.settings, None, BEGIN)
    told = keeping.shop.do(as_derived(part))
    assert (told.broken, told.invariant.name) == (1, "outages_are_as_derived")


def test_application_changes_and_deletes_nothing_of_a_record(keeping: Keeping) -> None:
    outage = keeping.sealed()
    for statement in (
        "DELETE FROM outages",
        "DELETE FROM outage_files",
        "UPDATE outage_files SET content = ''",
        "UPDATE outages SET findings = '{}'",
        "UPDATE outages SET begins_at = ends_at",
    ):
        with pytest.raises(Exception, match="permission denied"):
            keeping.shop.call(statement)
    assert keeping.file(outage, SIGNED)
