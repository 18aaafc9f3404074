"""The screen and keys of a simulated phone as a page, so that somebody without a phone sees what people do on one."""

from typing import Any

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from unfold.decorators import action

from contacts_app.core.admin.base import PortalAdmin
from contacts_app.core.admin.links import of_address
from contacts_app.core.errors import Refusal
from phones_app.inventory.models import Phone
from phones_app.mobility.hand import at_phone
from phones_app.mobility.series import series_of
from phones_app.simulator.hand import FIELD
from phones_app.simulator.running import is_running

KEYS = ("Services", "Directories")
PRESSES = ("key", "soft_key", "choice")
# As many soft keys as phones show at once; those behind them are in a second row here, on phones behind *more*.
IN_A_ROW = 4


class PhoneScreenPages(PortalAdmin):
    """What the admin of phones has about the screens of simulated ones."""

    pages = {"phone_screen": "<int:pk>/phone-screen/"}

    def has_phone_screen_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        phones = of_address(Phone.objects.filter(is_simulated=True), object_id)
        return self.has_change_permission(request) and is_running(settings.DATA_DIR) and phones.exists()

    @action(description="Phone screen…", icon="smartphone", permissions=["phone_screen"])
    def phone_screen_one(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return HttpResponseRedirect(self.url_of("phone_screen", self.row_or_404(request, object_id).pk))

    def phone_screen_page(self, request: HttpRequest, pk: int) -> HttpResponse:
        """With the keys that were pressed by POST; a browser with scripts replaces the phone alone."""
        phone = self.row_or_404(request, pk)
        if not self.has_phone_screen_permission(request, pk):
            raise PermissionDenied
        pressed = {name: str(text) for name, text in request.POST.items() if name.startswith((FIELD, *PRESSES))}
        here = self.url_of("phone_screen", phone.pk)
        context = {"phone": phone, "action": here, "field_prefix": FIELD, "hard_keys": KEYS}
        try:
            shown = at_phone(phone, **pressed)
            context |= {"shown": shown, "soft_keys": _placed(shown), "is_grey": series_of(phone.model).prompt}
        except Refusal as refusal:
            context["problem"] = refusal.message
        if "HX-Request" in request.headers:
            return render(request, "phones_app/mobility/phone.html", context)
        if request.method == "POST":
            return HttpResponseRedirect(here)
        return self.page(request, "phones_app/mobility/phone_screen.html", f"Phone screen of {phone}", **context)


def _placed(shown: dict[str, Any]) -> list[tuple[int, str]]:
    """The soft keys of all places, "" where there is none."""
    keys = {int(position): name for position, name in (shown["window"] or {}).get("keys", {}).items()}
    last = max([IN_A_ROW, *keys])
    return [(position, keys.get(position, "")) for position in range(1, last + -last % IN_A_ROW + 1)]
