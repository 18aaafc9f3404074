"""`manage.py check_templates`: whether each template can be filled in, and which phones would get no file today."""

from typing import Any

from django.core.management.base import CommandError

from contacts_app.core.commands import ReportingCommand, Row
from contacts_app.core.errors import Refusal
from phones_app.configuration.changes import phones_of_template
from phones_app.configuration.rendering import BATCH, revisions_for
from profiles_app.phone.models import PhoneTemplate
from profiles_app.phone.rendering.refusal import RenderRefused
from profiles_app.phone.rendering.render import names_of

# So many phones of a template are named.
NAMED = 5


class Command(ReportingCommand):
    help = "Read every template, and make the files of its phones without keeping them. Status 1 where one fails."
    writes = False
    columns = {"template": "Template", "phones": "Phones", "failed": "Without a file", "error": "Error"}

    def handle(self, **options: Any) -> None:
        rows = [self._row(template) for template in PhoneTemplate.objects.select_related("account").iterator()]
        self.report(rows)
        if bad := [row for row in rows if row["error"]]:
            raise CommandError(f"{len(bad)} of {len(rows)} templates fail, or leave phones without a file.")

    def _row(self, template: PhoneTemplate) -> Row:
        phones, failed, error = phones_of_template(template).order_by("pk"), list[str](), ""
        try:
            names_of(template.text)
        except RenderRefused as refused:
            return {"template": template.name, "uuid": template.uuid, "phones": 0, "failed": 0, "error": str(refused)}
        number, last = 0, 0
        while batch := list(phones.filter(pk__gt=last).defer("web_password")[:BATCH]):
            last, number = batch[-1].pk, number + len(batch)
            for phone, outcome in zip(batch, revisions_for(batch, store=False).values(), strict=True):
                if isinstance(outcome, Refusal):
                    failed.append(phone.mac_with_colons)
                    error = error or outcome.message
        named = f" ({', '.join(failed[:NAMED])})" if failed else ""
        return {
            "template": template.name,
            "uuid": template.uuid,
            "phones": number,
            "failed": len(failed),
            "error": error + named,
        }
