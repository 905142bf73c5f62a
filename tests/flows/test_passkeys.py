"""A passkey in a real browser: saved on the account page, then used to sign in."""

import re
import uuid
from collections.abc import Iterator

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    CDPSession,
    FilePayload,
    Page,
    ViewportSize,
    expect,
)

from tests.support.browser import WAIT_MS
from tests.support.instance import Instance, until
from tests.support.pdf import pdf

pytestmark = pytest.mark.sample(1, of="file")

PHONE = ViewportSize(width=360, height=640)


@pytest.fixture(scope="module")
def instance(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    """An instance with a host name, since an IP address cannot have passkeys."""
    with Instance(tmp_path_factory.mktemp("named"), host="localhost") as made:
        yield made


@pytest.fixture
def context(chromium: Browser) -> Iterator[BrowserContext]:
    with chromium.new_context(viewport=PHONE, locale="id-ID") as made:
        made.set_default_timeout(WAIT_MS)
        yield made


def named(instance: Instance) -> str:
    """The URL of the instance with its host name."""
    return instance.url.replace("127.0.0.1", "localhost")


def sign_in_by_mail(page: Page, instance: Instance) -> str:
    email = f"{uuid.uuid4().hex[:12]}@example.org"
    page.goto(f"{named(instance)}/account")
    page.get_by_label("Alamat email").fill(email)
    type_code(page, instance, email)
    page.wait_for_url("**/account")
    return email


def type_code(page: Page, instance: Instance, email: str) -> None:
    """Request a code by mail, and type it."""
    seen = len(instance.mails_to(email))
    page.get_by_role("button", name="Kirim kode").click()
    mails = until(
        "the code comes", lambda: [m for m in [instance.mails_to(email)] if len(m) > seen]
    )[0]
    found = re.search(r"\b\d{6}\b", mails[0]["subject"])
    assert found is not None
    spaced = f" {found[0][:3]} {found[0][3:]} "  # pasted with spaces
    page.get_by_label("Kode enam angka").fill(spaced)
    page.get_by_role("button", name="Masuk", exact=True).click()


def choose_and_place(page: Page) -> None:
    """Go from the first page to the page that asks for an address."""
    surat = FilePayload(name="surat.pdf", mimeType="application/pdf", buffer=pdf())
    page.locator("#document").set_input_files([surat])
    page.get_by_role("button", name="Pakai tempat ini").click()
    page.wait_for_url("**/stamp/pay")


def with_authenticator(context: BrowserContext, page: Page) -> tuple[CDPSession, str]:
    """A virtual authenticator in the device of a page, and its id for the browser."""
    devices = context.new_cdp_session(page)
    devices.send("WebAuthn.enable")
    added = devices.send(
        "WebAuthn.addVirtualAuthenticator",
        {
            "options": {
                "protocol": "ctap2",
                "transport": "internal",
                "hasResidentKey": True,
                "hasUserVerification": True,
                "isUserVerified": True,
                "automaticPresenceSimulation": True,
            }
        },
    )
    return devices, added["authenticatorId"]


def saves_a_passkey(page: Page) -> None:
    page.get_by_label("Nama perangkat ini").fill("Ponsel uji")
    page.get_by_role("button", name="Simpan kunci sandi di perangkat ini").click()
    expect(page.get_by_role("heading", name="Ponsel uji")).to_be_visible()


def test_first_supervisor_signs_in_by_passkey_and_opens_the_console(
    context: BrowserContext, instance: Instance
) -> None:
    """Section 9 of docs/first-day.md."""
    page = context.new_page()
    with_authenticator(context, page)
    email = sign_in_by_mail(page, instance)
    refused = instance.command("staff", "first", email)
    assert refused.returncode != 0
    assert "passkey" in refused.stderr
    saves_a_passkey(page)

    def status() -> int:
        return context.request.get(f"{named(instance)}/account").status

    assert status() == 200
    done = instance.command("staff", "first", email)
    assert done.returncode == 0, done.stderr
    assert ": supervisor\n" in instance.command("staff", "list").stdout

    # Not by a page, where the virtual authenticator would sign in again at once.
    until("no process takes the session any more", lambda: status() == 401)
    page.goto(f"{named(instance)}/console")
    # The virtual authenticator answers while the page asks for the address.
    page.wait_for_url("**/console")
    expect(page.get_by_role("searchbox")).to_be_visible()


def test_passkey_is_saved_signs_in_and_is_removed(
    context: BrowserContext, instance: Instance
) -> None:
    page = context.new_page()
    devices, authenticator = with_authenticator(context, page)
    sign_in_by_mail(page, instance)
    saves_a_passkey(page)
    kept = devices.send("WebAuthn.getCredentials", {"authenticatorId": authenticator})[
        "credentials"
    ]
    assert [one["rpId"] for one in kept] == ["localhost"]

    page.get_by_role("button", name="Keluar").click()
    page.wait_for_url(f"{named(instance)}/")
    page.goto(f"{named(instance)}/sign-in?next=/account")
    # The virtual authenticator answers while the page asks for the address.
    page.wait_for_url("**/account")

    page.get_by_role("button", name="Keluar").click()
    page.wait_for_url(f"{named(instance)}/")
    choose_and_place(page)
    expect(page.get_by_role("button", name="Bayar Rp10.000 dengan QRIS")).to_be_visible()

    page.goto(f"{named(instance)}/account")
    page.get_by_role("button", name="Keluar").click()
    page.wait_for_url(f"{named(instance)}/")
    page.add_init_script("PublicKeyCredential.isConditionalMediationAvailable = async () => false")
    page.goto(f"{named(instance)}/sign-in?next=/account")
    page.get_by_role("button", name="Masuk dengan kunci sandi").click()
    page.wait_for_url("**/account")
    expect(page.get_by_role("heading", name="Ponsel uji")).to_be_visible()

    page.get_by_text("Hapus kunci sandi ini").click()
    page.get_by_role("button", name="Ya, hapus").click()
    expect(page.get_by_role("heading", name="Ponsel uji")).to_have_count(0)
