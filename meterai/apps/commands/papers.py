"""Commands about one file: stamp it, check it.  They need no database."""

import json
from pathlib import Path

from meterai import sealing
from meterai.apps.issuer import issuer_of
from meterai.apps.options import NO_OPTIONS, AsJson, Options, complain, line
from meterai.kit.clock import SystemClock
from meterai.kit.serial import UNLEASED, SerialMaker
from meterai.plumbing.messages import in_words, say
from meterai.sealing import Check, Placement, Stamp, Verdict

EXIT_NOT_GENUINE = 1
EXIT_NOT_CHECKED = 2


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        complain(f"{path}: {error.strerror}")
        raise SystemExit(EXIT_NOT_CHECKED) from None


def seal(
    source: Path,
    target: Path,
    options: Options = NO_OPTIONS,
    *,
    page: int = -1,
    x: float = 36.0,
    y: float = 36.0,
    width: float = 80.0,
) -> None:
    """Put one stamp on a PDF with the development issuer; needs no database.

    The stamp is a SPECIMEN: nobody sold it and no register knows its serial.
    """
    settings = options.settings()
    clock = SystemClock()
    stamp = Stamp(SerialMaker(UNLEASED).make(), Placement(page, x, y, width))
    original = _read(source)
    delta = sealing.seal(
        original,
        [stamp],
        issuer_of(settings, clock),
        at=clock.now(),
        check_url=f"{settings.url}/c/",
        specimen=True,
    )
    try:
        target.write_bytes(original + delta.data)
    except OSError as error:
        complain(f"{target}: {error.strerror}")
        raise SystemExit(EXIT_NOT_CHECKED) from None
    line(f"serial {stamp.serial}")


def _in_words(check: Check) -> str:
    outcome = "passed" if check.passed else "failed"
    return say(f"check.{check.name}.{outcome}", "en", **in_words(check.facts, "en"))


def verify(document: Path, options: Options = NO_OPTIONS, *, as_json: AsJson = False) -> None:
    """Check the seal of a PDF against this instance's issuer, without the register.

    Exit status: 0 genuine, 1 not genuine, 2 could not be checked.
    """
    settings = options.settings()
    clock = SystemClock()
    root = issuer_of(settings, clock).root
    report = sealing.verify(_read(document), [root], at=clock.now())
    if as_json:
        checks = [
            {"name": one.name, "passed": one.passed, "detail": _in_words(one)}
            for one in report.checks
        ]
        found = {"verdict": report.verdict, "serials": list(report.serials), "checks": checks}
        line(json.dumps(found, indent=2))
    else:
        line(report.verdict)
        for one in report.checks:
            line(f"  {'ok ' if one.passed else 'NO '} {one.name}: {_in_words(one)}")
    if report.verdict == Verdict.UNREADABLE:
        raise SystemExit(EXIT_NOT_CHECKED)
    raise SystemExit(0 if report.verdict == Verdict.GENUINE else EXIT_NOT_GENUINE)
