"""Sign-in part of a page: by the code of a mail, or by a passkey.

The page `/sign-in` consists of this part alone. Another page can include the part, so that a visitor need not leave that page:
it uses the macros of `accounts/part.html` with the variables that `SigningIn.facts` returns, and has a route that receives the
forms of the macros.
"""

from collections.abc import Mapping
from uuid import UUID

from meterai.accounts.agents import Agent, agent_of
from meterai.accounts.codes import CodeService
from meterai.accounts.model import LINK_LIVES, CodeSpent, TooManyCodes
from meterai.accounts.pages.cookies import (
    ASKED,
    DEVICE,
    KEPT_SECONDS,
    PASSKEY,
    Begun,
    cookie,
    set_cookie,
)
from meterai.accounts.passkeys import CHALLENGE_LIVES, PasskeyChallenge, PasskeyService
from meterai.accounts.service import COOKIE, AccountService
from meterai.accounts.sessions import SignedIn
from meterai.accounts.settings import AccountSettings
from meterai.kit.refusal import Refusal
from meterai.pages import Form, Page, PageRequest, field_errors
from meterai.plumbing.config import Settings
from meterai.plumbing.http.language import language_of
from meterai.plumbing.http.requests import network_of


def _agent(request: PageRequest) -> Agent:
    return agent_of(request.headers.get("user-agent", ""))


class SigningIn:
    """Steps of a sign-in on a page. They call the services of accounts, and read and set the cookies of the browser."""

    def __init__(
        self,
        codes: CodeService,
        passkeys: PasskeyService,
        accounts: AccountService,
        settings: Settings,
    ) -> None:
        self._codes = codes
        self._passkeys = passkeys
        self._accounts = accounts
        self._process = settings.process
        self._minutes = int(settings.of(AccountSettings).code_lives_seconds // 60)

    def begun(self, request: PageRequest) -> Begun | None:
        """Return the sign-in that began in this browser; None if no sign-in is under way."""
        return Begun.read(cookie(self._process, request, ASKED))

    def facts(
        self, request: PageRequest, form: Form | None = None, refusal: Refusal | None = None
    ) -> Mapping[str, object]:
        """Return the template variables of the sign-in part: the typed mail address, the errors, and the sign-in that is under
        way. `form` is the form that was sent, and `refusal` the reason why it was refused.
        """
        sent, typed = self.begun(request), form or Form({})
        is_of_code = "code" in typed.texts
        # After a code was sent the part asks for the code; after a wrong address it asks for the address again.
        if not is_of_code and refusal is not None and not isinstance(refusal, TooManyCodes):
            sent = None
        errors = field_errors(refusal, language_of(request), "code" if is_of_code else "email")
        return {
            "sent": sent,
            "email": typed.text("email").strip() or (sent.email if sent else ""),
            "passkeys": self._passkeys.is_possible,
            "minutes": self._minutes,
            "errors": errors,
        }

    async def ask(self, request: PageRequest, form: Form, there: str) -> Begun:
        """Send a code to the mail address in the form. After a sign-in by the link of the mail, the browser goes to the path
        `there`.

        Refuses `Malformed`, `TooManyCodes`.
        """
        email, device = form.text("email").strip(), cookie(self._process, request, DEVICE)
        network = network_of(request, self._process.proxies)
        language = language_of(request)
        challenge = await self._codes.ask_for_code(email, network, language, device, there)
        return Begun(challenge, email, self._codes.asked_mark(challenge))

    def keep(self, answer: Page, begun: Begun) -> Page:
        """Set the cookie of a sign-in, for as long as the code or link of its mail is valid."""
        set_cookie(self._process, answer, ASKED, begun.text(), LINK_LIVES.total_seconds())
        return answer

    async def prove(
        self, request: PageRequest, form: Form, challenge: UUID | None = None
    ) -> SignedIn:
        """Exchange the code in the form for a session.

        The code is that of `challenge`; if None, of the sign-in that began in this browser.  Refuses what
        `CodeService.sign_in` refuses.
        """
        sent = self.begun(request)
        challenge = challenge or (sent.challenge if sent else None)
        if challenge is None:
            raise CodeSpent("no sign-in began in this browser")
        mark = sent.mark if sent is not None and sent.challenge == challenge else ""
        code, device = form.text("code"), cookie(self._process, request, DEVICE)
        language, agent = language_of(request), _agent(request)
        return await self._codes.sign_in(challenge, code, language, device, mark, agent)

    async def follow(
        self, request: PageRequest, challenge: UUID, secret: str
    ) -> tuple[SignedIn, str]:
        """Exchange the link of a mail for a session; return the session, and the path to which the browser goes next. Refuses
        what `sign_in_by_link` refuses.
        """
        device = cookie(self._process, request, DEVICE)
        language = language_of(request)
        return await self._codes.sign_in_by_link(
            challenge, secret, language, device, _agent(request)
        )

    async def prove_by_passkey(self, request: PageRequest, form: Form) -> SignedIn:
        """Exchange the answer of an authenticator for a session.  Refuses `PasskeyRefused`."""
        kept, device = (cookie(self._process, request, name) for name in (PASSKEY, DEVICE))
        return await self._passkeys.sign_in(form.text("credential"), kept, device, _agent(request))

    def keep_challenge(self, answer: Page, asked: PasskeyChallenge) -> Page:
        """Set the cookie with the challenge of a passkey, for as long as the challenge lives."""
        seconds = CHALLENGE_LIVES.total_seconds()
        set_cookie(self._process, answer, PASSKEY, asked.cookie, seconds)
        return answer

    def challenge_of(self, request: PageRequest) -> str:
        """Return the text of the cookie with the challenge of a passkey, which `PasskeyService` checks."""
        return cookie(self._process, request, PASSKEY)

    async def admit(self, request: PageRequest, answer: Page, signed_in: SignedIn) -> Page:
        """Set the cookies of a new session, and end the previous session of the browser.

        A new session of the same person acts for the same account as the previous session.
        """
        await self._end(request, signed_in)
        set_cookie(self._process, answer, COOKIE, signed_in.session, signed_in.life_seconds)
        set_cookie(self._process, answer, DEVICE, signed_in.device, KEPT_SECONDS)
        set_cookie(self._process, answer, ASKED, "", 0)
        if self.challenge_of(request):
            set_cookie(self._process, answer, PASSKEY, "", 0)
        return answer

    async def dismiss(self, request: PageRequest, answer: Page) -> Page:
        """End the session of the browser, if it has one, and delete its cookie."""
        await self._end(request)
        set_cookie(self._process, answer, COOKIE, "", 0)
        return answer

    async def _end(self, request: PageRequest, follows: SignedIn | None = None) -> None:
        session = cookie(self._process, request, COOKIE)
        if session:
            await self._accounts.sign_out(session, follows)
