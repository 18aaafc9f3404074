"""The action of the phone admin that begins a rollout of firmware, and what a phone's page shows of its last one."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse

from contacts_app.core.admin.base import PortalAdmin
from phones_app.inventory.models import Phone
from phones_app.rollout.models import Rollout
from phones_app.upgrades.judgement import stands
from phones_app.upgrades.models import Upgrade

SEES = "phones_app.view_upgrade"


class UpgradePages(PortalAdmin):
    @admin.action(description="Upgrade firmware…", permissions=["deploy"])
    def upgrade_selected(self, request: HttpRequest, queryset: QuerySet[Phone]) -> HttpResponse:
        pages: Any = self.admin_site.get_model_admin(Rollout)
        macs = ",".join(queryset.order_by("mac").values_list("mac", flat=True))
        page: HttpResponse = pages.choose(request, pages.rollout_form(request, macs=macs), firmware=True)
        return page

    def shown(self, request: HttpRequest, row: Phone) -> dict[str, Any]:
        shown = super().shown(request, row)
        if not row.pk or not request.user.has_perm(SEES):
            return shown
        rows = Upgrade.objects.filter(phone=row, account=row.account_id)
        rows = rows.select_related("member__deployment", "member__rollout")
        upgrade = rows.order_by("-pk").first()
        return shown | {"upgrade": upgrade, "upgrade_stands": stands(upgrade) if upgrade else ""}
