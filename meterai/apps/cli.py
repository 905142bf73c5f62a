"""The command line. The module of a command is loaded when the command is called."""

import os
from collections.abc import Sequence
from dataclasses import replace

import cyclopts
from cyclopts import App

from meterai import __version__
from meterai.apps.program import program_of
from meterai.apps.rooms import ROOMS
from meterai.commands import (
    NO_OPTIONS,
    Exit,
    NotForProduction,
    Program,
    complain,
    exit_of,
    sentence_of,
)
from meterai.kit.refusal import Refusal
from meterai.plumbing.messages import localize, translate
from meterai.plumbing.observe import logs
from meterai.plumbing.observe.redaction import redact_trace
from meterai.room import Rooms

# Characters of a message: it quotes typed text, which may be a whole file.
SENTENCE_LENGTH_MAX = 500


def build(program: Program) -> App:
    """Build the command line of a program. The name of a command is a single word, or the name of a group of commands followed
    by one word.
    """
    app = App(
        name="meterai", version=__version__, help="Sell, issue, affix, check, refund e-stamps."
    )
    groups = {
        words: App(name=words.split()[-1], help=text) for words, text in program.groups.items()
    }
    within = {"": app, **groups}
    for command in program.commands.values():
        above, _, word = command.name.rpartition(" ")
        within[above].command(command.function, name=word)
    for words, one in groups.items():
        within[words.rpartition(" ")[0]].command(one)
    return app


def _call(words: Sequence[str] | None, rooms: Rooms) -> None:
    program = program_of(rooms)
    command, bound, _ = build(program).parse_args(
        words, print_error=False, exit_on_error=False, verbose=False
    )
    if "options" in bound.signature.parameters:
        given = bound.arguments.get("options", NO_OPTIONS)
        bound.arguments["options"] = replace(given, program=program)
    command(*bound.args, **bound.kwargs)


def _refused(refusal: Refusal) -> Exit:
    sentence = translate(f"refusal.{refusal.code}", "en", **localize(refusal.facts(), "en"))
    complain(f"{refusal.code}: {sentence}")
    if isinstance(refusal, NotForProduction):
        for one in refusal.complaints:
            complain(sentence_of(one))
    return exit_of(refusal)


def _failed(fault: Exception) -> Exit:
    """Report a fault of the program by its exception types and lines of code. The message is left out, since it may
    quote data.
    """
    complain("fault: an error in meterai itself; no act was done twice")
    for told in redact_trace(None, "", {"exc_info": fault})["trace"]:
        complain(told)
    return Exit.FAULT


def _run(words: Sequence[str] | None, rooms: Rooms) -> Exit:
    try:
        _call(words, rooms)
    except Refusal as refusal:
        return _refused(refusal)
    except cyclopts.CycloptsError as error:
        complain(f"usage: {' '.join(str(error).split())[:SENTENCE_LENGTH_MAX]}")
        return Exit.USAGE
    except KeyboardInterrupt:
        return Exit.INTERRUPTED
    except BrokenPipeError:
        # The reader of our output has closed the pipe; closing it at exit would raise again.
        os._exit(Exit.UNWRITTEN)
    except UnicodeError:
        complain("usage: the input is not text in UTF-8")
        return Exit.USAGE
    except OSError as error:
        if error.filename is None:
            return _failed(error)
        complain(f"file_unusable: {error.filename}: {error.strerror}")
        return Exit.USAGE
    except Exception as fault:  # any other fault ends the command with the status FAULT
        return _failed(fault)
    return Exit.DONE


def main(words: Sequence[str] | None = None, rooms: Rooms = ROOMS) -> None:
    """Run the command named by `words` (by default those of the command line), in an application of these rooms.

    The command ends the process with a status of `exits.Exit`, after it has printed any refusal or fault.
    """
    logs.configure_for_command()
    raise SystemExit(int(_run(words, rooms)))
