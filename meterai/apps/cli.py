"""The command line.  A command's module is loaded when it is called: starting stays quick."""

import os
from collections.abc import Sequence

import cyclopts
from cyclopts import App

from meterai import __version__
from meterai.apps.exits import Exit, exit_of
from meterai.apps.options import complain, sentence_of
from meterai.apps.production import NotForProduction
from meterai.kit.refusal import Refusal
from meterai.plumbing import logs
from meterai.plumbing.discretion import bare_trace
from meterai.plumbing.messages import localize, translate

SENTENCE_LENGTH_MAX = 500  # what was typed is quoted, and may be a file
_HERE = "meterai.apps.commands"

app = App(name="meterai", version=__version__, help="Sell, issue, affix, check, refund e-stamps.")
for _name in ("up", "web", "worker", "standins", "migrate", "config", "check-config"):
    app.command(f"{_HERE}.run:{_name.replace('-', '_')}", name=_name)
app.command(f"{_HERE}.operator:audit", name="audit")
app.command(f"{_HERE}.documents:seal", name="seal")
app.command(f"{_HERE}.documents:verify", name="verify")
app.command(f"{_HERE}.documents:verify_claim", name="verify-claim")
accounts = App(name="accounts", help="Accounts and API keys.")
accounts.command(f"{_HERE}.accounts:create", name="create")
accounts.command(f"{_HERE}.accounts:keys", name="keys")
accounts.command(f"{_HERE}.accounts:end_key", name="end-key")
issuing = App(name="issuing", help="Whether stamps are being issued.")
issuing.command(f"{_HERE}.operator:stop_issuing", name="stop")
issuing.command(f"{_HERE}.operator:open_issuing", name="open")
suspense = App(name="suspense", help="What the bank told us and nobody can place yet.")
suspense.command(f"{_HERE}.operator:suspense_list", name="list")
suspense.command(f"{_HERE}.operator:suspense_resolve", name="resolve")
issuer = App(name="issuer", help="Who seals.")
issuer.command(f"{_HERE}.issuers:show", name="show")
issuer.command(f"{_HERE}.issuers:appoint", name="appoint")
jobs = App(name="jobs", help="Jobs and mails that failed.")
jobs.command(f"{_HERE}.queues:list_failed", name="list")
jobs.command(f"{_HERE}.queues:retry", name="retry")
objects = App(name="objects", help="Where the originals lie.")
objects.command(f"{_HERE}.objects:adopt", name="adopt")
app.command(accounts)
app.command(issuer)
app.command(issuing)
app.command(suspense)
app.command(jobs)
app.command(objects)


def _refused(refusal: Refusal) -> Exit:
    sentence = translate(f"refusal.{refusal.code}", "en", **localize(refusal.facts(), "en"))
    complain(f"{refusal.code}: {sentence}")
    if isinstance(refusal, NotForProduction):
        for one in refusal.complaints:
            complain(sentence_of(one))
    return exit_of(refusal)


def _failed(fault: Exception) -> Exit:
    """A fault of ours: where it is, and nothing of what was worked on."""
    complain("fault: something went wrong in meterai itself; nothing was done twice")
    for told in bare_trace(None, "", {"exc_info": fault})["trace"]:
        complain(told)
    return Exit.FAULT


def _run(words: Sequence[str] | None) -> Exit:
    try:
        app(words, print_error=False, exit_on_error=False, verbose=False)
    except Refusal as refusal:
        return _refused(refusal)
    except cyclopts.CycloptsError as error:
        complain(f"usage: {' '.join(str(error).split())[:SENTENCE_LENGTH_MAX]}")
        return Exit.USAGE
    except KeyboardInterrupt:
        return Exit.INTERRUPTED
    except BrokenPipeError:
        # Nobody reads any more; closing the pipe at the end would fail again.
        os._exit(Exit.UNWRITTEN)
    except UnicodeError:
        complain("usage: what was given is no text in UTF-8")
        return Exit.USAGE
    except OSError as error:
        if error.filename is None:
            return _failed(error)
        complain(f"file_unusable: {error.filename}: {error.strerror}")
        return Exit.USAGE
    except Exception as fault:  # whatever it is, it has a status of its own
        return _failed(fault)
    return Exit.DONE


def main(words: Sequence[str] | None = None) -> None:
    """Run the command of these words (or of the command line).

    It ends in a sentence and a status of `exits.Exit`, whatever happens.
    """
    logs.configure_for_command()
    raise SystemExit(int(_run(words)))
