"""Finding one's way by keys, in a real browser: the search over everything."""

import pytest
from django.urls import reverse

from phones_app.inventory.models import Phone

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
    chosen.wait_for()
    assert str(lobby[0].name) in chosen.inner_text()
    page.keyboard.press("ArrowDown")
    assert "Lobby 1" in chosen.inner_text()
    assert box.get_attribute("aria-activedescendant") == chosen.get_attribute("id")
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
    assert page.evaluate("document.activeElement.id") == "id_name"
