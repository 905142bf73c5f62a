"""The command line.  A command's module is loaded when it is called: starting stays quick."""

import os
from collections.abc import Sequence
from typing import NoReturn

import cyclopts
from cyclopts import App

from meterai import __version__
from meterai.apps.command_needs import InstallationMissing
from meterai.apps.options import EXIT_CONFIGURATION, complain, sentence_of
from meterai.apps.production import NotForProduction, OnlyForDevelopment
from meterai.kit.refusal import Refusal
from meterai.plumbing.config import ConfigurationWrong
from meterai.plumbing.keyring import KeyMissing
from meterai.plumbing.messages import translate
from meterai.plumbing.migrations import DatabaseNewer, DatabaseNotMigrated, MigrationChanged
from meterai.plumbing.objects import StoreDiffers

EXIT_REFUSED = 1
EXIT_NOT_DONE = 2
# Starting it again changes nothing: somebody must change what was configured.
_CONFIGURATION = (
    ConfigurationWrong,
    DatabaseNewer,
    DatabaseNotMigrated,
    InstallationMissing,
    KeyMissing,
    MigrationChanged,
    NotForProduction,
    OnlyForDevelopment,
    StoreDiffers,
)

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


def _refused(refusal: Refusal) -> NoReturn:
    sentence = translate(f"refusal.{refusal.code}", "en", **refusal.facts())
    complain(f"{refusal.code}: {sentence}")
    if isinstance(refusal, NotForProduction):
        for one in refusal.complaints:
            complain(sentence_of(one))
    if isinstance(refusal, _CONFIGURATION):
        raise SystemExit(EXIT_CONFIGURATION)
    raise SystemExit(EXIT_NOT_DONE if refusal.status == 500 else EXIT_REFUSED)


def main(words: Sequence[str] | None = None) -> None:
    """Run the command of these words (or of the command line); a refusal is one line and a
    status, not a traceback."""
    try:
        app(words)
    except Refusal as refusal:
        _refused(refusal)
    except cyclopts.CycloptsError:
        raise SystemExit(EXIT_NOT_DONE) from None
    except BrokenPipeError:
        os._exit(EXIT_NOT_DONE)
