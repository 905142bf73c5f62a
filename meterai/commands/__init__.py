"""Commands: common options, exit statuses and database access of all commands.

Promises of this layer
  * A command ends with a sentence and a status of `Exit`.
  * A command makes an installation or changes its schema only if it declares so. The demands of production are
    checked before a command begins, in the scope that the command declares.
  * A command belongs to the room of its subject, which registers it as a `Command`; a command line is a `Program` of
    commands (`apps/cli.py`).

Calls `plumbing`. Called by every room with commands, and by `apps`.
"""

from meterai.commands.addresses import is_a_public_host, is_this_machine, split_url
from meterai.commands.database import (
    DatabaseMissing,
    DatabaseUnreachable,
    database_of,
    is_embedded,
    our_database,
    schema_for,
    with_database,
)
from meterai.commands.exits import Exit, exit_of
from meterai.commands.key_files import open_key_files, open_secret_file
from meterai.commands.key_making import KeyFile, OnlyForProduction
from meterai.commands.levers import (
    Effect,
    Forecast,
    Lever,
    Moment,
    NoArguments,
    Pull,
    digest_of,
    offered_on,
)
from meterai.commands.needs import (
    UNFINISHED,
    Directory,
    InstallationMissing,
    RestoreUnfinished,
    Schema,
    is_installation,
)
from meterai.commands.options import (
    NO_OPTIONS,
    AsJson,
    Between,
    By,
    DryRun,
    OptionalText,
    Options,
    Password,
    Reason,
    Text,
    complain,
    line,
    operator,
    read_given,
    sentence_of,
    tell_all,
    tell_counted,
    tell_one,
    text_only,
)
from meterai.commands.production import (
    LOAD,
    TIME,
    Demand,
    DemandScope,
    Facts,
    NotForProduction,
    OnlyForDevelopment,
    UnmetDemand,
    check_allowed,
    complaints,
)
from meterai.commands.program import AfterRestore, Command, Opens, Program, Timeline

__all__ = [
    "LOAD",
    "NO_OPTIONS",
    "TIME",
    "UNFINISHED",
    "AfterRestore",
    "AsJson",
    "Between",
    "By",
    "Command",
    "DatabaseMissing",
    "DatabaseUnreachable",
    "Demand",
    "DemandScope",
    "Directory",
    "DryRun",
    "Effect",
    "Exit",
    "Facts",
    "Forecast",
    "InstallationMissing",
    "KeyFile",
    "Lever",
    "Moment",
    "NoArguments",
    "NotForProduction",
    "OnlyForDevelopment",
    "OnlyForProduction",
    "Opens",
    "OptionalText",
    "Options",
    "Password",
    "Program",
    "Pull",
    "Reason",
    "RestoreUnfinished",
    "Schema",
    "Text",
    "Timeline",
    "UnmetDemand",
    "check_allowed",
    "complain",
    "complaints",
    "database_of",
    "digest_of",
    "exit_of",
    "is_a_public_host",
    "is_embedded",
    "is_installation",
    "is_this_machine",
    "line",
    "offered_on",
    "open_key_files",
    "open_secret_file",
    "operator",
    "our_database",
    "read_given",
    "schema_for",
    "sentence_of",
    "split_url",
    "tell_all",
    "tell_counted",
    "tell_one",
    "text_only",
    "with_database",
]
