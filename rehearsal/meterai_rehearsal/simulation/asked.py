"""Options of `meterai plan`."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from meterai.commands import Text

Rates = Annotated[
    tuple[float, ...],
    Parameter(negative="", consume_multiple=True, help="Admitted a second, to be shown."),
]
Services = Annotated[
    tuple[Text, ...],
    Parameter(
        negative="",
        consume_multiple=True,
        help="Milliseconds that a server is busy with each request of a journey, in order: 120 (a mean), "
        "money=120 (with its priority), money=50:100/90:180/99:400 (percentiles).",
    ),
]


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class Asked:
    """Options as they were given; `question.py` checks them."""

    applicants: Annotated[int, Parameter(help="People who come.")]
    hours: Annotated[float, Parameter(help="From the opening to the closing.")]
    measured: Annotated[Path | None, Parameter(help="A run of `meterai rehearse`.")] = None
    journey: Annotated[Text, Parameter(help="Of the run.")] = "buy"
    service_ms: Services = ()
    journey_ms: Annotated[
        tuple[Text, ...],
        Parameter(
            negative="",
            consume_multiple=True,
            help="Milliseconds of a processor for one journey: api=30, or api=web:20/worker:4/postgres:6.",
        ),
    ] = ()
    pause_seconds: Annotated[float, Parameter(help="Between requests, with --service-ms.")] = 20.0
    servers: Annotated[int | None, Parameter(help="Of a machine; of a run: its cores.")] = None
    machines: Annotated[int, Parameter(help="How many there are.")] = 1
    curve: Annotated[Text, Parameter(help="A shipped curve, or a file.")] = "cpns_2024"
    grace_hours: Annotated[float, Parameter(help="The line is served on after closing.")] = 1.0
    admit: Rates = ()
    bound_ms: Annotated[
        float | None, Parameter(help="99 of 100 are answered within; else twice unloaded.")
    ] = None
    no_shows: Annotated[float, Parameter(help="Share of who waited and is not there.")] = 0.1
    patience_minutes: Annotated[float | None, Parameter(help="Mean; else for ever.")] = None
    wait_minutes: Annotated[float, Parameter(help="Shows who waited longer.")] = 60.0
    replications: Annotated[int, Parameter(help="Simulations of each figure.")] = 8
    seed: Annotated[int, Parameter(help="The same seed has the same answer.")] = 1
    whole: Annotated[bool, Parameter(help="Simulate everybody, once, too.")] = True
