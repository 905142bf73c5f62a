"""Start of a rehearsal, which finds or starts its target by the options; and the summary at its end."""

import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from meterai.kit.clock import Clock
from meterai.kit.refusal import CommandRefusal
from meterai.plumbing.config import instance_file
from meterai.plumbing.messages import catalogue, translate
from meterai_rehearsal.clients.sites import site_of
from meterai_rehearsal.losses import Loss, losses_of
from meterai_rehearsal.rehearsal import plan as plans
from meterai_rehearsal.rehearsal import targets
from meterai_rehearsal.rehearsal.given import Rehearsal, check
from meterai_rehearsal.rehearsal.installation import (
    Addresses,
    Done,
    OwnInstallation,
    done,
    settings_of,
)
from meterai_rehearsal.rehearsal.progress import Shown
from meterai_rehearsal.rehearsal.promises import Audit
from meterai_rehearsal.rehearsal.run import rehearse
from meterai_rehearsal.results import Latency, Run, Target

Tell = Callable[[str], None]


class TargetMissing(CommandRefusal):
    """No target was named, or more than one."""

    code = "target_missing"
    status = 422


@dataclass(frozen=True)
class Chosen:
    """Options of the command line."""

    plan: str
    data: Path | None
    is_own: bool
    addresses: tuple[str, str, str, str]  # web, bank, mail, metrics
    targets: Path | None
    not_loopback: bool
    processes: int
    workers: int | None  # web processes of the run's own installation, if they differ from the plan
    language: str

    def command(self) -> tuple[str, ...]:
        """Command line that repeats the rehearsal."""
        words = ["meterai", "rehearse", self.plan, "--processes", str(self.processes)]
        names = ("--url", "--bank", "--mail", "--metrics")
        words += ["--up"] if self.is_own else []
        words += ["--workers", str(self.workers)] if self.workers is not None else []
        words += ["--data", str(self.data)] if self.data else []
        for name, value in zip(names, self.addresses, strict=True):
            words += [name, value] if value else []
        words += ["--targets", str(self.targets)] if self.targets else []
        return (*words, "--not-loopback") if self.not_loopback else tuple(words)


def addresses_in(directory: Path) -> Addresses:
    """Return the addresses of the installation that runs with a data directory. Refuses `TargetMissing`."""
    try:
        found = json.loads(instance_file(directory).read_text())["settings"]
        return Addresses(
            f"http://{found['host']}:{found['port']}",
            found["bank_url"],
            f"http://{found['host']}:{found['mail_port']}",
            f"http://127.0.0.1:{found['metrics_port']}/metrics" if found["metrics_port"] else "",
        )
    except (OSError, ValueError, LookupError, TypeError):
        raise TargetMissing(f"no installation runs in {directory}") from None


def _addresses(chosen: Chosen) -> Addresses:
    web, bank, mail, metrics = chosen.addresses
    known = addresses_in(chosen.data) if chosen.data and not web else Addresses("")
    found = Addresses(
        web or known.web, bank or known.bank, mail or known.mail, metrics or known.metrics
    )
    if not found.web:
        raise TargetMissing("no address")
    return found


def _audit_of(directory: Path) -> Audit:
    """Return a function that audits the installation of a data directory, which the run did not start."""

    def audit(words: Sequence[str]) -> Done:
        command = [sys.executable, "-m", "meterai", "audit", *words, "--data", str(directory)]
        return done(command)

    return audit


async def carry_out(chosen: Chosen, directory: Path | None, clock: Clock, tell: Tell) -> Run:
    """Read the plan, find or start the installation, and rehearse.

    Refuses what the plan, the targets and the run refuse; `InstallationNotStarted`.
    """
    text = plans.text_of(chosen.plan)
    plan = plans.of(text)
    if chosen.is_own and any(chosen.addresses):
        raise TargetMissing("with --up no addresses are given")
    shown = Shown(plan.bounds.seconds_max, chosen.language, tell)
    with ExitStack() as stack:
        own: OwnInstallation | None = None
        audit: Audit | None = None
        settings: Mapping[str, str] = {}
        if chosen.is_own:
            assert directory is not None
            settings = settings_of(plan)
            if chosen.workers is not None:
                settings = {**settings, "workers": str(chosen.workers)}
            own = stack.enter_context(OwnInstallation(directory, settings))
            addresses, audit = own.addresses, _audit_own(own)
        else:
            addresses = _addresses(chosen)
            audit = _audit_of(chosen.data) if chosen.data else None
        allowed = _allowed(chosen, addresses, clock)
        target = Target(
            addresses.web,
            is_own=chosen.is_own,
            is_loopback=site_of(addresses.web).is_loopback,
            allowed_by=allowed.allowed_by if allowed else None,
            allowed_until=allowed.until if allowed else None,
            settings=settings,
        )
        rehearsal = Rehearsal(
            text,
            plan,
            addresses,
            target,
            chosen.processes,
            chosen.command(),
            clock,
            shown,
            audit,
            own,
        )
        check(rehearsal)
        stack.enter_context(shown.shown())
        return await rehearse(rehearsal)


def _audit_own(own: OwnInstallation) -> Audit:
    return lambda words: own.command("audit", *words)


def _allowed(chosen: Chosen, addresses: Addresses, clock: Clock) -> targets.Allowed | None:
    listed = targets.read(chosen.targets) if chosen.targets else ()
    urls = (addresses.web, addresses.bank, addresses.mail, addresses.metrics)
    sites = [site_of(url) for url in urls if url]
    return targets.check(sites, listed, clock.now(), not_loopback=chosen.not_loopback)


# -- its end -------------------------------------------------------------------------------


def _times(latency: Latency) -> dict[str, str]:
    return {
        name: f"{value:.3f}"
        for name, value in (
            ("p50", latency.p50),
            ("p99", latency.p99),
            ("longest", latency.longest),
        )
    }


def _loss_in_words(loss: Loss, language: str) -> dict[str, object]:
    """Return a loss in the words of a report."""

    def named(kind: str, name: str) -> str:
        key = f"assess.{kind}.{name}"
        return translate(key, language) if key in catalogue() else name

    return {
        "visitors": loss.visitors,
        "journey": named("journey", loss.journey),
        "step": named("step", loss.step),
        "why": named("why", loss.reason),
        "first": f"{loss.first_at:.0f}",
        "last": f"{loss.last_at + 1:.0f}",
        "pool": named("pool", loss.pool or "none"),
        "figure": _figure(loss, language),
    }


def _figure(loss: Loss, language: str) -> str:
    """Return the pressure of the pool, or the rate of the line, in words."""
    if loss.pressure is not None:
        return translate("rehearsal.pressure", language, share=f"{loss.pressure:.0%}")
    if loss.line_rate is not None:
        return translate("rehearsal.line_rate", language, rate=f"{loss.line_rate:.1f}")
    return ""


def summary(run: Run, language: str) -> Iterator[str]:
    """Yield the few lines that summarize a run."""

    def said(key: str, /, **facts: object) -> str:
        return translate(f"rehearsal.{key}", language, **facts)

    generator = run.generator
    wrk = f"{generator.wrk_per_second:,.0f}" if generator.wrk_per_second else "-"
    yield said(
        "generator",
        limit=f"{generator.limit_per_second:,.0f}",
        wrk=wrk,
        peak=f"{generator.peak_per_second:,.0f}",
        late=f"{generator.lateness.p99 * 1000:.0f}",
    )
    for journey in run.journeys:
        yield said(
            "journey",
            name=journey.name,
            started=journey.started,
            finished=journey.finished,
            **_times(journey.working),
        )
        for step in journey.steps:
            yield "  " + said(
                "step",
                name=f"{step.name:14}",
                finished=step.finished,
                refused=step.refused,
                failed=", ".join(f"{n} {why}" for why, n in step.failed.items()) or "0",
                **_times(step.latency),
            )
    yield said("statuses", statuses=", ".join(f"{n} {one}" for one, n in run.statuses.items()))
    for loss in losses_of(run):
        yield said("lost", **_loss_in_words(loss, language))
    for fault in run.faults:
        took = fault.recovery_seconds
        key = "fault" if took is not None else "fault_not_recovered"
        yield said(key, kind=fault.kind, at=f"{fault.at:.1f}", seconds=f"{took or 0:.1f}")
    for promise in run.promises:
        word = {True: "held", False: "broken", None: "unknown"}[promise.held]
        at = f"{promise.at:.1f}"
        yield said(f"promise.{word}", name=promise.name, at=at, found=promise.found)
    for reason in generator.void:
        yield said(f"void.{reason.value}")
