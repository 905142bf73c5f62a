"""Privacy: a person's own data (UU 27/2022): copy, erasure, register of breaches.

Promises this room keeps
  * A copy contains all that the rooms store about a person, no secret, and nothing about another person.
  * A person is erased some days after the request, once nothing is pending, in one transaction over all rooms; until
    then the request can be withdrawn. The person sees in advance which data are deleted and which the law requires us
    to keep, and gets a mail at the end.
  * An erased account cannot be used.  The next sign-in with its address makes a new account.
  * A request is answered, and subjects and agency are notified of a breach, within 3 x 24 hours; staff see due times.
  * No breach is closed before subjects and agency were notified, unless a reason is recorded.

Calls every room below through its personal data (`Room.personal`).
"""

from meterai.privacy.model import Breach, Request

__all__ = ["Breach", "Request"]
