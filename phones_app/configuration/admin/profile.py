"""Phone profiles with their phones: which of them have another file than they should run, and how it gets there."""

from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest

from contacts_app.core.admin.frame import actor_of
from phones_app.configuration.admin.confirm import AsksBeforeSaving
from phones_app.configuration.effect import FileEffect
from phones_app.inventory.models import Phone
from profiles_app.phone.admin.profile import PhoneProfileAdmin
from profiles_app.phone.models import PhoneProfile

# More are rolled out, at a pace.
DEPLOYED_AT_ONCE = 100


class ProfileWithPhones(AsksBeforeSaving, PhoneProfileAdmin):
    change_form_outer_after_template = "phones_app/configuration/profile.html"

    def effect(self, request: HttpRequest, before: Any, after: Any, form: Any) -> FileEffect | None:
        """A profile is the file itself, or says what makes it; its page shows what became of it afterwards."""
        return None

    def concerned(self, request: HttpRequest, row: PhoneProfile) -> QuerySet[Phone]:
        return actor_of(request).sees(Phone.objects.filter(current_profile=row).defer("web_password"))

    def shown(self, request: HttpRequest, row: PhoneProfile) -> dict[str, object]:
        told = super().shown(request, row) | {"profile": row} | self.behind_context(request, row)
        if told["behind_count"] <= DEPLOYED_AT_ONCE:
            told["deploy_phones"] = ",".join(map(str, self.behind(request, row).values_list("pk", flat=True)))
        return told
