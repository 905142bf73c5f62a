"""Accounts: people and organizations, sign-in, sessions and API keys.

Promises this room keeps
  * There is no password to steal: sign-in is by a code sent to the address, short-lived, with
    few tries, compared in constant time, and stored nowhere.
  * A session and an API key can be ended, and are known to us only by their hash.

Calls audit.  Is called by every room that needs to know who is asking.
"""

from meterai.accounts.model import NOBODY, SignInRequired
from meterai.accounts.service import COOKIE, AccountDesk, check_form, contact

__all__ = ["COOKIE", "NOBODY", "AccountDesk", "SignInRequired", "check_form", "contact"]
