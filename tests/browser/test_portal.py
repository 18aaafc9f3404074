"""The self-service portal in a real browser, at a phone's and at a desk's width (portal spec §6, case 8)."""

import re

import pytest
from django.urls import reverse

from phones_app.inventory.models import Phone
from phones_app.mobility.models import MobilitySession
from profiles_app.messaging.models import MessagingProfile, NumberLease
from profiles_app.messaging.sending.models import OptOut
from profiles_app.messaging.services import save_number_lease
from profiles_app.phone.services import create_profile
from tests.browser.window import SIZES, Window
from tests.phones_app.site import ACTOR, sip_file
from tests.profiles_app.visitors import FLAGS, PASSWORD, grant

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def filled(acme, alice, bob, settings):
    """An account with something on each page, of an operator with a colour of its own."""
    settings.PORTAL_NAME, settings.PORTAL_COLOUR = "Kestrel Telecom", "#0f766e"
    settings.PORTAL_LINKS = {"View Bills": {"label": "Bills", "url": "https://billing.example.org/"}}
    grant(acme, *FLAGS)
    profile = create_profile(actor=ACTOR, user=alice, name="Alice's desk", content=sip_file("1001", "Alice").encode())
    for number, presence in enumerate(("reachable", "unreachable"), 1):
        phone = Phone.objects.create(
            account=acme,
            mac=f"0200000000{number:02}",
            model="8851",
            name=f"Desk {number}",
            location="Second floor",
            presence=presence,
            current_profile=profile,
        )
    MobilitySession.objects.create(
        account=acme,
        phone=phone,
        mac=phone.mac,
        user=bob,
        person_name="Bob Baker",
        profile_name="Bob's",
        state="logged_in",
        requested_by="bob",
        channel="test",
    )
    campaign = MessagingProfile.objects.create(account=acme, name="Guests")
    save_number_lease(NumberLease(account=acme, tn=12025550101, messaging_profile=campaign), actor=ACTOR)
    OptOut.objects.create(profile=campaign, recipient="442079460123", word="STOP")


def look(window: Window, name: str) -> None:
    """Fits its window, everything on it has a name and can be read, and axe finds nothing serious."""
    window.picture(f"portal-{name}-{window.page.viewport_size['width']}")
    assert window.sticks_out() == 0, name
    assert window.serious() == [], name


@pytest.mark.parametrize(("size", "theme"), [("phone", "light"), ("desktop", "dark")])
def test_people_find_their_way_in_the_portal(chromium, live_server, filled, bob, size, theme):
    context = chromium.new_context(viewport=SIZES[size], color_scheme=theme, locale="en-GB")
    window = Window(context, live_server.url)
    page = window.page
    window.open(reverse("portal:home"))
    look(window, "login")
    page.get_by_label("E-mail address").fill("alice@acme.example")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    page.get_by_role("heading", name="Welcome, Alice").wait_for()
    look(window, "home")
    places = page.get_by_role("navigation", name="Menu").get_by_role("link")
    for label in [each for each in places.all_inner_texts() if each not in ("Home", "Bills")]:
        with page.expect_navigation():
            page.get_by_role("navigation", name="Menu").get_by_role("link", name=label, exact=True).click()
        page.locator("h1").wait_for()
        look(window, label.lower().replace(" ", "-"))
    for name in ("one", "report", "edit"):
        window.open(reverse(f"portal:campaigns-{name}", args=[MessagingProfile.objects.get().uuid]))
        look(window, f"campaign-{name}")
    window.open(reverse("portal:users-one", args=[bob.uuid]))
    page.get_by_label("First name").fill("Robert")
    look(window, "user")
    page.get_by_role("button", name="Save").click()
    page.get_by_text("Robert Baker is changed.").wait_for()
    window.open(reverse("portal:users-invite"))
    page.get_by_label("E-mail address").fill("bob@acme.example")
    page.get_by_role("button", name="Send the invitation").click()
    page.get_by_text("Somebody else logs in").wait_for()
    look(window, "invite")
    window.open(reverse("portal:contacts-add"))
    look(window, "contact")
    window.open(reverse("portal:me-password"))
    look(window, "password")
    window.open("/my-account/nowhere/")
    page.get_by_role("combobox", name="Language").select_option("de")
    page.get_by_role("button", name="Change language").click()
    page.get_by_role("button", name="Abmelden").click()
    page.get_by_role("heading", name="Anmelden").wait_for()
    # What browsers say of an answer of 400 or 404 is no error of the page.
    window.errors = [each for each in window.errors if not re.search("40[04]", each)]
    assert (window.errors, window.strayed) == ([], [])
    context.close()
