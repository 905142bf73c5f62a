"""Write docs/permissions.md from the routes of the application: `.venv/bin/python -m scripts.permissions`.

A test compares the file with what this program would write, and another asks every route over HTTP as every
role (`tests/apps/test_permissions.py`).
"""

import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from litestar.exceptions import LitestarDeprecationWarning
from litestar.routes import HTTPRoute

from meterai.accounts.model import (
    KEY_PERMISSIONS,
    OPEN,
    PERMISSIONS,
    PERSONAL,
    PROOF_LIVES,
    STAFF_PERMISSIONS,
    STAFF_SESSION_LIVES,
    Permission,
    Role,
    StaffRole,
)
from meterai.apps.settings import settings_of
from meterai.apps.web import build
from meterai.plumbing.head import is_api

FILE = Path(__file__).parents[1] / "docs" / "permissions.md"
COMMAND = ".venv/bin/python -m scripts.permissions"
HEAD = f"""# Who may do what

Every route declares one permission, and one guard asks for it (`meterai/accounts/guard.py`). Which role has which
permission is one table (`PERMISSIONS` and `STAFF_PERMISSIONS` in `meterai/accounts/model.py`). Who lacks a permission
is answered 403 `not_permitted` with its name, a visitor 401 `sign_in_required`, or the sign-in page.

This file is written by `{COMMAND}` from the routes themselves. A test asks every route over
HTTP as every role and compares the answers with the table.

## Acting for somebody

* A session acts for one account at a time: the person's own, of which the person is the owner, or an organization in
  which the person has a role. It is chosen on the account page and kept with the session; no parameter of a request
  names it. A form says for whom it was made, and is refused in a session that acts for another account.
* The role is asked for at each request. When it has ended, the session may do nothing for that organization any more
  (403 `membership_ended`) within five seconds.
* `person` is what people do for themselves, whoever they act for: passkeys, sessions, proving who they are.

## API keys

* A key belongs to an account. It has scopes: permissions that whoever made it had there (403 `scope_not_held`). A key
  has never more than its scopes, and never `members.manage`. A key without scopes, as those of before there were any
  and those made by `accounts create --api-key` without `--scope`, has every permission that a key may have.
* A command of the API (`/v1`, neither GET nor HEAD) needs a key: a session gets 401 `api_key_required`.
* A key may have an end. The query that opens a key asks for it; the owner of the account is written to seven days before.
* *Replace this key* makes a successor with the same name and scopes, which the person who presses it must have too.
  The old key opens for the overlap: not at all, an hour, a day or a week. A key has one successor.
* A key of an organization stays with the organization when its maker leaves: programs go on, and the list of
  keys says that its maker is no member any more. Owners and developers end or replace it. A key has no rights of the
  person who made it, so nothing is left behind with that person.
* No route makes a key for a key, and no key has rights of staff.

## Staff

* The operator's people have one or more of five roles. They sign in by passkey alone: a role is given to an account
  that has a passkey (`passkey_needed`), and with the first role all its sessions end. From then on a right code or
  link of a mail is refused (403 `passkey_required`), and a passkey is added only in a session that a passkey opened.
  When the last role ends, all sessions end again, and mail signs in.
* Rights of staff are in a session that a passkey opened, for {STAFF_SESSION_LIVES.total_seconds() / 3600:.0f} hours. A lever asks for a proof
  that is at most {PROOF_LIVES.total_seconds() / 60:.0f} minutes old, which of staff is a passkey.
* The first two supervisors are made on the command line (`staff first`); every other role of staff is given and
  ended by a supervisor with the approval of a second one (`staff give`, `staff end`). The last supervisor stays.
* Somebody of staff is a person as well, with an account, of which the permissions are those of an owner. The
  columns of staff show what the role adds.
* A command of an operator goes through the same permissions: with `--by` and the address of somebody of staff.
"""
TABLE = """## Routes and roles

`yes`: allowed. `key`: over an API key with that scope alone, which the role can make if it manages keys too.
`open`: nobody is asked who they are. `signed`: the payment provider, by its signature."""
COLUMNS = (
    *(role.value for role in Role),
    "API key",
    "visitor",
    *(f"staff: {role}" for role in StaffRole),
)


@dataclass(frozen=True, slots=True)
class Asked:
    """One method of one route."""

    method: str
    path: str  # as declared: {order_id:str}
    filled: str  # with made-up parameters
    permission: Permission
    is_command_of_api: bool

    @property
    def shown(self) -> str:
        """The path with the names of its parameters alone."""
        return self.path.replace(":str}", "}").replace(":int}", "}").replace(":uuid}", "}")


def routes_of(app: object) -> list[Asked]:
    """Every method of every route of an application; nothing but HTTP is served."""
    found = []
    for route in app.routes:  # type: ignore[attr-defined]
        assert isinstance(route, HTTPRoute), f"{route.path} is asked by no test of permissions"
        filled = "/" + "/".join(
            part if isinstance(part, str) else ("1" if part.type is int else "x")
            for part in route.path_components
        )
        for handler in route.route_handlers:
            for method in sorted(str(one) for one in handler.http_methods):
                if method in ("OPTIONS", "HEAD"):
                    continue
                permission = Permission(handler.opt["permission"])
                is_command = method != "GET" and is_api({"path": route.path})
                found.append(Asked(method, route.path, filled, permission, is_command))
    return sorted(found, key=lambda one: (is_api({"path": one.path}), one.path, one.method))


def marks(asked: Asked) -> Iterator[str]:
    """The cells of a route, one for each column."""
    permission = asked.permission
    if permission in OPEN:
        yield from ["signed" if permission == Permission.PROVIDER else "open"] * len(COLUMNS)
        return
    personal = permission in PERSONAL and not asked.is_command_of_api
    for role in Role:
        is_had = permission in PERMISSIONS[role]
        yield ("key" if asked.is_command_of_api else "yes") if is_had else "yes" * personal
    yield "yes" * (permission in KEY_PERMISSIONS)
    yield ""
    for staff_role in StaffRole:
        yield "yes" * (permission in STAFF_PERMISSIONS[staff_role] or personal)


def lines() -> Iterator[str]:
    """The file, line by line."""
    yield HEAD
    yield TABLE
    yield ""
    yield f"| route | permission | {' | '.join(COLUMNS)} |"
    yield "|---|---|" + "---|" * len(COLUMNS)
    with warnings.catch_warnings():
        # How parameters are spelt changes with Litestar 3; that is for its upgrade.
        warnings.simplefilter("ignore", LitestarDeprecationWarning)
        app = build(settings_of())
    for asked in routes_of(app):
        cells = " | ".join((f"`{asked.method} {asked.shown}`", asked.permission, *marks(asked)))
        yield f"| {cells} |"


def document() -> str:
    """The whole file."""
    return "\n".join(lines()) + "\n"


if __name__ == "__main__":
    FILE.write_text(document())
