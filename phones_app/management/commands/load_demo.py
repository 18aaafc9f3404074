"""`manage.py load_demo`: a small made-up customer to try the portal with."""

from urllib.parse import urlsplit

from contacts_app.core.commands import Add, ReportingCommand, argument, headings
from phones_app.demo.demo import load_demo
from phones_app.inventory.models import Phone


def web_address(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname or len(text) > 200:
        raise ValueError(f"“{text}” is not the address of a portal, such as http://127.0.0.1:8000")
    return text.rstrip("/")


class Command(ReportingCommand):
    help = (
        "Make the demo: one account with people, profiles and simulated phones. Run again it changes "
        "nothing, or brings the profiles to another URL; what people changed or deleted stays so. One phone is "
        "still to be enrolled: each run makes another activation code for it."
    )
    says_where = False
    columns = headings("account", voip_id="VoIP id", state="State", renewed="Profiles renewed", files="Files")

    def arguments(self, add: Add) -> None:
        add("--url", type=argument(web_address), default="http://127.0.0.1:8000", help="Where phones reach the portal.")

    def handle(self, *, url: str, dry_run: bool, **options: object) -> None:
        demo = load_demo(url=url, dry_run=dry_run)
        summary = {
            "account": demo.account.name,
            "voip_id": demo.account.voip_id,
            "uuid": demo.account.uuid,
            "state": "created" if demo.created else "was there",
            "renewed": demo.renewed,
            "files": demo.files,
            "new_phone": demo.new_phone,
            "code": demo.code,
            "parts": demo.parts,
            "said": demo.said,
            "dry_run": dry_run,
        }
        if self.as_json or dry_run:
            self.report([summary])
            return
        phones = Phone.objects.filter(account=demo.account).count()
        changed = f", {len(demo.renewed)} profiles renewed" if demo.renewed else ""
        self.announce("demo", f"{demo.account} {summary['state']}: {phones} phones{changed}")
        for line in demo.said:
            # A password stands by itself on its line, so that it can be copied whole.
            self.announce("demo", line) if " " in line else self.say(line)
        if demo.code:
            digits = " ".join(demo.code[at : at + 4] for at in range(0, len(demo.code), 4))
            self.announce("demo", f"the new phone {demo.new_phone} is enrolled with the activation code {digits}")
