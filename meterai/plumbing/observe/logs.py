"""Logs: structlog events, readable on a terminal, JSON in production.

A log of production never contains a secret, a sign-in code, an e-mail address, or content of a document;
`plumbing.observe.redaction` removes them.
"""

import logging
import sys
import threading
from types import TracebackType

import structlog

from meterai.plumbing.observe.exchange import named
from meterai.plumbing.observe.redaction import redact_event, redact_trace

_LEVELS = logging.getLevelNamesMapping()
_with_values = structlog.dev.RichTracebackFormatter(show_locals=True)


def configure_for_command() -> None:
    """Set up logging for a command, before its settings are known: nothing personal is logged.

    Servers set it up again by `configure`.
    """
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            redact_trace,
            redact_event,
            structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty()),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )


def configure(*, level: str, as_json: bool, who: str, with_values: bool = False) -> None:
    """Set up logging for this process; `who` is its name (web, worker, ...).

    As JSON, which production requires, nothing personal is logged (`plumbing.observe.redaction`). On a terminal a fault
    is shown as Python shows it; `with_values` adds the value of every variable, including secrets and addresses.
    """
    ending: list[structlog.typing.Processor] = (
        [redact_trace, redact_event, structlog.processors.JSONRenderer()]
        if as_json
        else [
            structlog.processors.StackInfoRenderer(),
            structlog.dev.ConsoleRenderer(
                colors=sys.stderr.isatty(),
                exception_formatter=_with_values if with_values else structlog.dev.plain_traceback,
            ),
        ]
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            named,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            *ending,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(_LEVELS[level.upper()]),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    structlog.contextvars.bind_contextvars(process=who)
    others = max(_LEVELS[level.upper()], logging.WARNING)
    if as_json:
        logging.basicConfig(level=others, handlers=[_Ours()], force=True)
        logging.captureWarnings(capture=True)
        sys.excepthook = _uncaught
        threading.excepthook = lambda told: _uncaught(
            told.exc_type, told.exc_value, told.exc_traceback
        )
    else:
        logging.basicConfig(level=others, stream=sys.stderr)


class _Ours(logging.Handler):
    """A handler that writes log records of libraries as events of ours, without the values filled into their messages."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write one record."""
        first, _, _ = str(record.msg).partition("\n")
        structlog.get_logger().log(
            record.levelno,
            "library",
            logger=record.name,
            says=first,
            kinds=[type(one).__name__ for one in record.args] if record.args else [],
            exc_info=record.exc_info,
        )


def _uncaught(
    kind: type[BaseException], fault: BaseException | None, _trace: TracebackType | None
) -> None:
    if issubclass(kind, KeyboardInterrupt):
        return
    structlog.get_logger().critical("uncaught", fault=kind.__name__, exc_info=fault or True)
