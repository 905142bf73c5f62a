"""Options of `meterai plan`."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from meterai.commands import Text

Rates = Annotated[
    tuple[float, ...],
    Parameter(
        negative="",
        consume_multiple=True,
        help=("Admission rates per second that the answer shows."),
    ),
]
Services = Annotated[
    tuple[Text, ...],
    Parameter(
        negative="",
        consume_multiple=True,
        help="Milliseconds for which a server is busy with each request of a journey, in order: "
        "120 (a mean), money=120 (with its priority), money=50:100/90:180/99:400 "
        "(percentiles).",
    ),
]


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class Asked:
    """Options as they were given; `question.py` checks them."""

    applicants: Annotated[int, Parameter(help="People who come.")]
    hours: Annotated[float, Parameter(help="Hours from the opening to the closing.")]
    measured: Annotated[Path | None, Parameter(help="A file of results of `meterai rehearse`.")] = (
        None
    )
    journey: Annotated[Text, Parameter(help="Journey in that file.")] = "buy"
    service_ms: Services = ()
    journey_ms: Annotated[
        tuple[Text, ...],
        Parameter(
            negative="",
            consume_multiple=True,
            help=(
                "Milliseconds of processor time for one journey: api=30, or "
                "api=web:20/worker:4/postgres:6."
            ),
        ),
    ] = ()
    pause_seconds: Annotated[
        float, Parameter(help="Seconds between requests, with --service-ms.")
    ] = 20.0
    servers: Annotated[
        int | None, Parameter(help=("Servers of one machine; with --measured, cores of the run."))
    ] = None
    machines: Annotated[int, Parameter(help="Number of machines.")] = 1
    curve: Annotated[Text, Parameter(help="A shipped curve of arrivals, or a file.")] = "cpns_2024"
    grace_hours: Annotated[
        float, Parameter(help=("Hours after the closing for which the line is served."))
    ] = 1.0
    admit: Rates = ()
    bound_ms: Annotated[
        float | None,
        Parameter(help=("Bound for 99 % of answers (default: twice the unloaded time).")),
    ] = None
    no_shows: Annotated[
        float, Parameter(help=("Share of people who waited and do not use their turn."))
    ] = 0.1
    patience_minutes: Annotated[
        float | None, Parameter(help=("Mean patience of people who wait (default: unlimited)."))
    ] = None
    wait_minutes: Annotated[float, Parameter(help="Show the share of people who wait longer.")] = (
        60.0
    )
    replications: Annotated[int, Parameter(help="Simulations for each figure.")] = 8
    seed: Annotated[int, Parameter(help="The same seed gives the same answer.")] = 1
    whole: Annotated[bool, Parameter(help="Simulate all people once, too.")] = True
