"""Command that makes the keys of a production installation."""

from meterai.apps.production import keys_of
from meterai.apps.program import rooms_of
from meterai.commands import NO_OPTIONS, OnlyForProduction, Options, line
from meterai.plumbing.messages import translate


def make(options: Options = NO_OPTIONS) -> None:
    """Make every missing key that production needs, and print the purpose of each.

    No file is overwritten.  Keys that another party (an authority, the bank) must issue are named.
    """
    settings = options.settings("keys make")
    if not settings.process.is_production:
        raise OnlyForProduction("keys make", settings.process.data)
    secret = []
    for one in keys_of(settings, rooms_of(options)):
        said = "made" if one.made() else "there" if one.path.exists() else "LACKS"
        line(f"{said}  {one.path}")
        line(f"       {translate(f'key.{one.name}', 'en')}")
        if said != "LACKS" and not one.public:
            secret.append(str(one.path))
    line(translate("key.keep", "en"))
    for path in secret:
        line(f"       {path}")
