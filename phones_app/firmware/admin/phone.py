"""What the page of a phone shows of its firmware: what it has, should have and will fetch, and the way to it."""

from typing import Any

from django.http import HttpRequest

from contacts_app.core.admin.base import PortalAdmin
from phones_app.configuration.phone_firmware import firmware_of
from phones_app.inventory.models import Phone


class FirmwareOfPhone(PortalAdmin):
    """Mixed into the admin of phones."""

    def shown(self, request: HttpRequest, row: Phone) -> dict[str, Any]:
        shown = super().shown(request, row)
        if not request.user.has_perm("phones_app.view_firmware"):
            return shown
        return shown | {"phone_firmware": firmware_of(row)}
