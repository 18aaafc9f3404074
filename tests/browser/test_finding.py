"""Finding one's way by keys, in a real browser: the search over everything, the way past the menu, and the bell."""

import pytest
from django.urls import reverse
from django.utils.timezone import now
from playwright.sync_api import expect

from phones_app.inventory.models import Phone
from phones_app.rollout.models import Rollout

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def lobby(acme) -> list[Phone]:
    return [Phone.objects.create(mac=f"AABBCCDDEE0{n}", account=acme, name=f"Lobby {n}") for n in range(3)]


def test_what_is_searched_for_is_opened_by_keys_alone(window, lobby):
    desk = window()
    desk.open(reverse("admin:index"))
    page = desk.page
    box = page.locator("#search-input-command")
    page.keyboard.press("Control+k")
    page.keyboard.type("lobby")
    chosen = page.locator(".pb-found [aria-selected=true]")
    expect(chosen).to_contain_text(str(lobby[0].name))
    page.keyboard.press("ArrowDown")
    expect(chosen).to_contain_text("Lobby 1")
    expect(box).to_have_attribute("aria-activedescendant", str(chosen.get_attribute("id")))
    desk.picture("search-desktop")
    assert not desk.faint()
    assert not desk.nameless()
    page.keyboard.press("Enter")
    page.wait_for_url(f"**{reverse('admin:phones_app_phone_change', args=[lobby[1].pk])}")
    # Who types and presses Enter at once is taken there when it is found; a box of the page does not keep the key.
    page.focus("#id_name")
    page.keyboard.press("Control+k")
    page.keyboard.type("aa:bb:cc:dd:ee:02")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**{reverse('admin:phones_app_phone_change', args=[lobby[2].pk])}")
    page.focus("#id_name")
    page.keyboard.press("Meta+k")
    page.keyboard.type("lobby")
    page.keyboard.press("Escape")
    box.wait_for(state="hidden")
    expect(page.locator("#id_name")).to_be_focused()


def test_every_page_begins_with_the_way_past_the_menu(window, root, acme):
    Rollout.objects.create(
        user=root, name="Spring", total=3, requested_by="x", channel="admin", state="aborted", finished_at=now()
    )
    desk = window()
    page = desk.page
    desk.open(reverse("admin:phones_app_phone_changelist"))
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#content")).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.locator("#content :focus")).to_have_count(1)
    desk.open(reverse("admin:phones_app_phone_changelist"))
    page.keyboard.press("?")
    page.locator("#pb-shortcuts").wait_for()
    desk.picture("keys-desktop")
    assert not desk.faint()
    page.keyboard.press("Escape")
    page.locator("#pb-shortcuts").wait_for(state="hidden")
    # What the theme made for the mouse alone.
    person = page.locator("nav#nav-sidebar-inner [role=button]", has_text="root@example.org")
    person.focus()
    page.keyboard.press("Enter")
    page.get_by_text("Log out").wait_for()
    # The bell: opened, it is seen.
    bell = page.locator("details.pb-work summary")
    expect(bell).to_have_attribute("aria-label", "Your long work: 0 running, 1 new")
    bell.focus()
    page.keyboard.press("Enter")
    page.locator(".pb-work-panel", has_text="Spring").wait_for()
    for size in ("phone", "desktop"):
        desk.become(size)
        desk.picture(f"bell-{size}")
        assert desk.sticks_out() == 0
        assert not desk.nameless()
        assert not desk.faint()
    page.keyboard.press("Escape")
    page.locator(".pb-work-panel").wait_for(state="hidden")
    # And what explains the page, which is read without a way out.
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_url("**/admin/help/operations.md#real-phones-the-check-list")
    expect(bell).to_have_attribute("aria-label", "Your long work: 0 running, 0 new")
    for size, theme in (("phone", "dark"), ("desktop", "light")):
        desk.become(size, theme)
        desk.picture(f"help-{size}")
        assert desk.sticks_out() == 0
        assert not desk.faint()
    desk.open(reverse("admin:index"))
    for size, theme in (("phone", "dark"), ("desktop", "light")):
        desk.become(size, theme)
        desk.picture(f"first-steps-{size}")
        assert desk.sticks_out() == 0
        assert not desk.faint()
