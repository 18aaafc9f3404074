"""For whom the files of a page are: everybody, an account, or one phone. Pages say it in their address."""

from typing import TypedDict, cast

from django import forms
from django.core.exceptions import PermissionDenied
from django.db.models import ForeignKey
from django.http import Http404, HttpRequest, QueryDict
from django.utils.http import urlencode

from contacts_app.accounts.models import Account
from contacts_app.core.admin.base import PortalAdmin
from contacts_app.core.admin.frame import actor_of
from phones_app.inventory.models import Phone
from phones_app.shared_files.media import FilesOwner
from phones_app.shared_files.models import SharedFile

SEES, ADDS, CHANGES, DELETES = (f"phones_app.{act}_sharedfile" for act in ("view", "add", "change", "delete"))
OWNER = ("account", "phone")


class OwnerContext(TypedDict):
    owner: FilesOwner
    owner_name: str
    owner_form: forms.Form
    query: str


class OwnerPages(PortalAdmin):
    """Mixed into the admin of shared files. Tenants see those of everybody, which the portal's staff make."""

    tenant_shares = True
    # There are too many of either for a list to choose from.
    autocomplete_fields = OWNER

    def owner_form(self, request: HttpRequest, given: QueryDict | None) -> forms.Form:
        """The two boxes, with what the person may choose."""
        form = forms.Form(given)
        for name, words in (
            ("account", "Empty: for the phones of all accounts."),
            ("phone", "Empty: for all of them."),
        ):
            column = cast("ForeignKey[Account | Phone | None]", SharedFile._meta.get_field(name))
            field = self.formfield_for_foreignkey(column, request)
            field.help_text = words
            form.fields[name] = field
        return form

    def owner_of(self, request: HttpRequest) -> FilesOwner:
        """Who is named in the address; nobody: the person's own account, or everybody. Others' are absent: 404."""
        form = self.owner_form(request, request.GET)
        own = actor_of(request).account
        if own is not None and not request.GET.get("account"):
            form.fields["account"].required = False
        if not form.is_valid():
            raise Http404
        phone = form.cleaned_data["phone"]
        account = form.cleaned_data["account"] or (phone.account if phone else own)
        if phone is not None and phone.account_id != account.pk:
            raise Http404
        return FilesOwner(account, phone)

    def may_write(self, request: HttpRequest, owner: FilesOwner, *permissions: str) -> bool:
        """What is for everybody only the portal's own staff change."""
        theirs = owner.account is not None or actor_of(request).account is None
        return theirs and request.user.has_perms(permissions)

    def require_write(self, request: HttpRequest, owner: FilesOwner, *permissions: str) -> None:
        if not self.may_write(request, owner, *permissions):
            raise PermissionDenied

    def owner_query(self, owner: FilesOwner) -> str:
        return urlencode({name: row.pk for name in OWNER if (row := getattr(owner, name)) is not None})

    def owner_context(self, request: HttpRequest, owner: FilesOwner) -> OwnerContext:
        """What the pages say of the owner, and the form that chooses another one."""
        keys = {name: str(getattr(getattr(owner, name), "pk", "")) for name in OWNER}
        chosen = QueryDict(mutable=True)
        chosen.update(keys)
        form = self.owner_form(request, chosen)
        who = f"{owner.phone}" if owner.phone else f"{owner.account}" if owner.account else "all accounts"
        return {"owner": owner, "owner_name": who, "owner_form": form, "query": self.owner_query(owner)}
