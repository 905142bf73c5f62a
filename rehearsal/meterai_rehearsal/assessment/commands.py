"""`meterai assess`: one report for a minister and an engineer."""

from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from meterai.commands import NO_OPTIONS, Between, Options, line, text_only
from meterai_rehearsal.assessment.live import live_part

RUPIAH_MAX = 1_000_000_000  # price of an hour of a core
Language = Literal["id", "en"]
Bound = Annotated[
    float,
    Parameter(
        help="Milliseconds within which a paid order must be executed.",
        validator=Between(1, 86_400_000),
    ),
]
Price = Annotated[
    int | None,
    Parameter(help="Rupiah for one core for one hour.", validator=Between(0, RUPIAH_MAX)),
]


Live = Annotated[
    tuple[str, str] | None,
    Parameter(
        help="FROM TO: days in WIB, as 2026-09-01, or moments; TO is not in it. Figures of the period from the"
        " database of the installation, which may be a replica.",
        validator=text_only,
    ),
]


def assess(
    *runs: Annotated[Path, Parameter(help="Files of results of `meterai rehearse`.")],
    options: Options = NO_OPTIONS,
    out: Annotated[Path, Parameter(help="A new folder for the result.")],
    plan: Annotated[Path | None, Parameter(help="A file of `meterai plan --json`.")] = None,
    lang: Language = "id",
    bound_ms: Bound = 2_000.0,
    core_hour_rupiah: Price = None,
    live: Live = None,
) -> None:
    """Write a report of runs, a simulation and a live database: assessment.html and assessment.pdf.

    Every figure in it is from the files and the database that were given; what was not measured is said to be missing.
    """
    options.settings("assess")  # the command uses no setting, but a named directory must exist
    counted = None if live is None else live_part(options, *live)
    from meterai_rehearsal.assessment import writing  # noqa: PLC0415 - its libraries take long to load

    measures = (bound_ms / 1000, core_hour_rupiah)
    for path in writing.write_report(runs, out, plan, lang, measures, counted):
        line(str(path))
