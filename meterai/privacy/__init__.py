"""Privacy: a person's own data (UU 27/2022): copy, erasure, register of breaches.

Promises this room keeps
  * A copy has all that the rooms keep of a person, no secret, and nothing of another person.
  * A person is erased some days after it asked, once nothing of it is under way, in one transaction over all rooms; until
    then it can withdraw.  It is told before what goes and what the law keeps, and by mail at the end.
  * Nobody acts as the account any more when it is erased, and the next sign-in with its address makes another.
  * A request is answered, and a breach told to subjects and agency, within 3 x 24 hours; staff see what is due.
  * No breach is closed before both were told, or a reason is written why not.

Calls every room below by what it keeps of a person (`Room.personal`).
"""

from meterai.privacy.model import Breach, Request

__all__ = ["Breach", "Request"]
