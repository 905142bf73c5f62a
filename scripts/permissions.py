"""Write docs/permissions.md from the routes of the application: `.venv/bin/python -m scripts.permissions`.

A test compares the file with the output of this program, and another test requests every route over HTTP in every role
(`tests/apps/test_permissions.py`).
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
from meterai.apps.web import assembled
from meterai.plumbing.http.head import is_api

FILE = Path(__file__).parents[1] / "docs" / "permissions.md"
COMMAND = ".venv/bin/python -m scripts.permissions"
HEAD = f"""# Who may do what

Every route declares a permission, some a second one beside it, and one guard asks for them (`meterai/accounts/guard.py`). Which role has which
permission is one table (`PERMISSIONS` and `STAFF_PERMISSIONS` in `meterai/accounts/model.py`). A caller without the permission
gets 403 `not_permitted` with its name; a visitor gets 401 `sign_in_required`, or the sign-in page.

This file is written by `{COMMAND}` from the routes themselves. A test asks every route over
HTTP as every role and compares the answers with the table.

These are permissions of who asks over HTTP or at the command line. With the login of the application at PostgreSQL one person can
insert a request, approve it in the name of another, and write the trail of both: nothing here holds whoever has SQL.
For routes of staff, session and roles are read at each request; an end of either holds from the next one on.

## Acting for somebody

* A session acts for one account at a time: the person's own, of which the person is the owner, or an organization in
  which the person has a role. The account is chosen on the account page and kept with the session; no parameter of a
  request names it. A form names the account it was made for, and is refused in a session that acts for another account.
* The role is read at each request. Within five seconds after its end the session may do nothing for that organization
  (403 `membership_ended`).
* `person` covers acts of people for themselves, for whichever account they act: passkeys, sessions, proof of who they are.

## API keys

* A key belongs to an account. It has scopes: permissions that its maker had there (403 `scope_not_held`). A key
  has never more than its scopes, and never `members.manage`. A key without scopes has every permission that a key may
  have: keys from before scopes existed, and keys of `accounts create --api-key` without `--scope`.
* The scopes `case.read` and `case.make` show the facts of the orders complained about, with payments and refunds. A
  key that has one of them has `order.read` too (422 `malformed`). The roles that read complaints may read orders.
* A command of the API (`/v1`, neither GET nor HEAD) needs a key: a session gets 401 `api_key_required`.
* A key may have an end. The query that opens a key checks it; the owner of the account gets a mail seven days before.
* *Replace this key* makes a successor with the same name and scopes; the person who replaces it must have them too.
  The old key works on for the overlap: not at all, an hour, a day or a week. A key has one successor.
* A key of an organization stays with the organization when its maker leaves. Programs go on, and the list of
  keys shows that its maker is no member any more. Owners and developers end or replace it. A key has no rights of the
  person who made it, so a person who left keeps none through it.
* No route makes a key for a key, and no key has rights of staff.

## Staff

* The operator's people have one or more of five roles. They sign in by passkey alone: a role is given to an account
  that has a passkey (`passkey_needed`), and with the first role all its sessions end. From then on a correct code or
  link of a mail is refused (403 `passkey_required`), and a passkey is added only in a session that a passkey opened.
  When the last role ends, all sessions end again, and the account signs in by mail again.
* A session has rights of staff if a passkey opened it, for {STAFF_SESSION_LIVES.total_seconds() / 3600:.0f} hours. A lever needs a proof by
  passkey that is at most {PROOF_LIVES.total_seconds() / 60:.0f} minutes old.
* The first two supervisors are made on the command line (`staff first`); every other role of staff is given and
  ended by a supervisor with the approval of a second one (`staff give`, `staff end`). The last supervisor stays.
* A member of staff is also a person with an account, and its owner. The columns of staff show what the role adds.
* A command of an operator asks for the same permissions: `--by` is the address of a member of staff.
"""
TABLE = """## Routes and roles

`yes`: allowed. `key`: only by an API key with that scope, which the role can make if it also manages keys.
`open`: for everybody, without sign-in. `signed`: for the payment provider, by its signature."""
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
    filled: str  # with invented parameters
    permission: Permission
    also: Permission | None  # second permission that is needed
    is_command_of_api: bool

    @property
    def needs(self) -> frozenset[Permission]:
        """Every permission that the route needs."""
        return frozenset({self.permission} if self.also is None else {self.permission, self.also})

    @property
    def shown(self) -> str:
        """The path with the names of its parameters only."""
        return self.path.replace(":str}", "}").replace(":int}", "}").replace(":uuid}", "}")


def routes_of(app: object) -> list[Asked]:
    """Return every method of every route of an application; only HTTP is served."""
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
                also = handler.opt.get("also")
                found.append(Asked(method, route.path, filled, permission, also, is_command))
    return sorted(found, key=lambda one: (is_api({"path": one.path}), one.path, one.method))


def marks(asked: Asked) -> Iterator[str]:
    """Yield the cells of a route, one for each column."""
    permission = asked.permission
    if permission in OPEN:
        yield from ["signed" if permission == Permission.PROVIDER else "open"] * len(COLUMNS)
        return
    personal = permission in PERSONAL and not asked.is_command_of_api
    for role in Role:
        is_had = asked.needs <= PERMISSIONS[role]
        yield ("key" if asked.is_command_of_api else "yes") if is_had else "yes" * personal
    yield "yes" * (asked.needs <= KEY_PERMISSIONS)
    yield ""
    for staff_role in StaffRole:
        yield "yes" * (permission in STAFF_PERMISSIONS[staff_role] or personal)


def lines() -> Iterator[str]:
    """Yield the lines of the file."""
    yield HEAD
    yield TABLE
    yield ""
    yield f"| route | permission | {' | '.join(COLUMNS)} |"
    yield "|---|---|" + "---|" * len(COLUMNS)
    with warnings.catch_warnings():
        # The spelling of parameters changes with Litestar 3; that belongs to its upgrade.
        warnings.simplefilter("ignore", LitestarDeprecationWarning)
        app = assembled()
    for asked in routes_of(app):
        needs = ", ".join(sorted(asked.needs))
        cells = " | ".join((f"`{asked.method} {asked.shown}`", needs, *marks(asked)))
        yield f"| {cells} |"


def document() -> str:
    """Return the whole file."""
    return "\n".join(lines()) + "\n"


if __name__ == "__main__":
    FILE.write_text(document())
