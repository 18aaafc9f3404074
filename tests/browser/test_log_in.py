"""A person logs in in the browser: over the provider of single sign-on, and with a second factor."""

import pytest
from django.contrib.auth.models import Group
from django.urls import reverse
from playwright.sync_api import expect

from contacts_app.people.models import SecondFactor, User
from tests.browser.window import SIZES, Window
from tests.contacts_app.people.test_second_factor import code_of
from tests.peers.openid_provider import openid_provider

pytestmark = pytest.mark.django_db(transaction=True)
INDEX = reverse("admin:index")


@pytest.fixture
def stranger(chromium, live_server):
    """Opens windows in which nobody is logged in."""
    contexts = []

    def make(size: str, theme: str = "light") -> Window:
        contexts.append(chromium.new_context(viewport=SIZES[size], color_scheme=theme))
        return Window(contexts[-1], live_server.url)

    yield make
    for context in contexts:
        context.close()


@pytest.mark.parametrize("size", ["desktop", "phone"])
def test_the_second_factor_is_set_up_and_asked_for(stranger, root, size):
    desk = stranger(size, "dark" if size == "phone" else "light")
    page = desk.page
    desk.log_in(root.email)
    desk.open(reverse("second_factor"))
    page.locator(".pb-picture svg").wait_for()
    assert desk.sticks_out() == 0
    desk.picture(f"second-factor-set-up-{size}")
    page.get_by_text("The app cannot scan?").click()
    key = page.locator("[data-key]").inner_text()
    page.locator("#id_code").fill(code_of(key))
    page.get_by_role("button", name="Set up").click()
    listed = page.locator("[data-recovery-codes] li")
    expect(listed).to_have_count(10)
    codes = listed.all_inner_texts()
    assert desk.sticks_out() == 0
    desk.picture(f"second-factor-recovery-codes-{size}")
    page.reload()
    page.wait_for_url(f"**{INDEX}")
    page.context.clear_cookies()
    desk.open(reverse("admin:login"))
    page.fill("#id_username", root.email)
    page.fill("#id_password", "correct horse")
    page.click("button[type=submit]")
    page.get_by_text("Enter the code that your authenticator app shows").wait_for()
    assert desk.sticks_out() == 0
    page.locator("#id_code").fill("1")
    page.get_by_role("button", name="Log in", exact=True).click()
    page.get_by_text("This code is wrong").wait_for()
    desk.picture(f"second-factor-code-{size}")
    SecondFactor.objects.update(throttling_failure_count=0)
    page.locator("#id_code").fill(codes[0])
    page.get_by_role("button", name="Log in", exact=True).click()
    page.wait_for_url(f"**{INDEX}")
    desk.open(reverse("second_factor"))
    page.get_by_text("9 recovery codes are left").wait_for()
    desk.picture(f"second-factor-{size}")
    assert not desk.strayed
    assert not desk.errors


def test_a_person_comes_and_goes_by_single_sign_on(stranger, settings):
    with openid_provider() as provider:
        settings.AUTHENTICATION_BACKENDS = [*settings.AUTHENTICATION_BACKENDS, settings.OIDC_BACKEND]
        settings.OIDC_ROLES = {"noc": "Night watch"}
        for name, value in provider.settings().items():
            setattr(settings, name, value)
        Group.objects.create(name="Night watch")
        User.objects.create_user("erin@example.org", "correct horse")
        provider.has("erin", email="erin@example.org", email_verified=True, groups=["noc"])
        wanted = reverse("second_factor")
        for size in SIZES:
            desk = stranger(size)
            page = desk.page
            desk.open(INDEX)
            assert desk.sticks_out() == 0
            desk.picture(f"log-in-{size}")
            desk.open(f"{reverse('admin:login')}?next={wanted}")
            page.get_by_role("link", name="Log in with single sign-on").click()
            page.locator("input[name=sub]").fill("erin")
            page.get_by_role("button", name="Authorize").click()
            page.wait_for_url(f"**{wanted}")
            desk.open(INDEX)
            assert page.url.endswith(INDEX)
            page.evaluate("document.getElementById('logout-form').submit()")
            page.get_by_role("link", name="Log out of single sign-on too").wait_for()
            assert desk.sticks_out() == 0
            desk.picture(f"logged-out-{size}")
            page.get_by_role("link", name="Log out of single sign-on too").click()
            page.wait_for_url(f"{provider.issuer}/**")
            assert not [url for url in desk.strayed if not url.startswith(provider.issuer)]
        settings.LOCAL_LOGIN = False
        desk.open(reverse("admin:login"))
        expect(page.get_by_role("link", name="Log in with single sign-on")).to_be_visible()
        expect(page.locator("input[type=password]")).to_have_count(0)
        desk.picture("log-in-without-passwords")
