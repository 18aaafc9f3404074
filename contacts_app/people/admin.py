"""People and the groups that carry their permissions."""

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin.utils import flatten, unquote
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group
from django.core.exceptions import ValidationError
from django.db.models import Q
from django.http import HttpRequest
from django.utils.html import format_html
from unfold.decorators import display
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget, UnfoldBooleanSwitchWidget

from contacts_app.core.actor import Actor
from contacts_app.core.admin.base import PortalAdmin, button
from contacts_app.core.admin.columns import column
from contacts_app.core.admin.forms import SecretField
from contacts_app.core.admin.frame import actor_of
from contacts_app.core.lists.search import NOTHING, text_match
from contacts_app.core.values import digits
from contacts_app.people.models import SecondFactor, User
from contacts_app.people.pins import check_rules, set_pin
from contacts_app.people.second_factor import take_away
from contacts_app.people.services import is_taken, may_change, may_grant
from contacts_app.people.single_sign_on import unlink
from contacts_app.people.zones import UNCHOSEN, zone_choices

# Only those who have every permission may hand permissions out.
GRANTS = ("is_staff", "is_superuser", "groups", "user_permissions")
PERSON = (("first_name", "last_name"), "phone", "location", "nationality", ("lang", "timezone"))
LOGGING_IN = ("second_factor_here", "single_sign_on_id")
RECORD = ("uuid", "last_login", ("last_login_ip", "last_logout_ip"), "created_at", "created_by", "updated_at")
ROLE_LABELS = {"Staff": "primary", "Owner": "info", "Member": ""}


class LoginNamesForm(forms.ModelForm):  # type: ignore[type-arg]
    """Email and user name share one name space, because people log in with either."""

    actor: Actor

    def clean_email(self) -> str:
        email = str(self.cleaned_data["email"]).lower()
        self._refuse_if_taken(email)
        return email

    def clean_username(self) -> str:
        """Empty, or the old email: the name follows the email."""
        name = str(self.cleaned_data.get("username") or "")
        if not name or name == self.initial.get("email"):
            return str(self.cleaned_data.get("email", name))
        self._refuse_if_taken(name)
        return name

    def clean_permission_level(self) -> int:
        level = int(self.cleaned_data["permission_level"])
        if "permission_level" in self.changed_data and not may_grant(self.actor, level):
            raise ValidationError("This level is above your own.")
        return level

    def _refuse_if_taken(self, name: str) -> None:
        if is_taken(name, but=self.instance):
            raise ValidationError("Somebody else logs in with this name.")


class NewUserForm(LoginNamesForm, UserCreationForm):
    class Meta:
        model = User
        fields = ("email",)


class UserForm(LoginNamesForm, UserChangeForm):
    username = forms.CharField(
        required=False,
        max_length=254,
        widget=UnfoldAdminTextInputWidget,
        help_text="Second name to log in with; empty: the email.",
    )
    new_pin = SecretField(label="Phone PIN")
    forget_pin = forms.BooleanField(label="Forget the PIN", required=False, widget=UnfoldBooleanSwitchWidget)

    class Meta:
        model = User
        fields = "__all__"  # noqa: DJ007 -- the page's fieldsets say which

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if field := self.fields.get("new_pin"):
            field.help_text = (
                "One is set; leave this empty to keep it. Another person's new PIN has to be changed at its first use."
                if self.instance.pin_hash
                else "None is set: this person cannot log in on a phone's service menu."
            )

    def clean(self) -> Any:
        given = super().clean()
        if pin := self.cleaned_data.get("new_pin"):
            # The number of the same form counts, too.
            self.instance.phone = self.cleaned_data.get("phone", self.instance.phone)
            check_rules(pin, self.instance, field="new_pin")
        return given

    def save(self, commit: bool = True) -> Any:
        pin = self.cleaned_data.get("new_pin")
        if pin or self.cleaned_data.get("forget_pin"):
            set_pin(self.instance, pin or "", actor=self.actor)
        return super().save(commit)


@admin.register(User)
class UserAdmin(DjangoUserAdmin, PortalAdmin):  # type: ignore[type-arg]
    form = UserForm
    add_form = NewUserForm
    change_password_form = AdminPasswordChangeForm
    list_display = ("email", "name", "account", "role", "is_active", "is_staff", "last_login")
    more_columns = ("username", "phone", "permission_level", "lang", "last_login_ip", "created_at")
    list_select_related = ("account",)
    list_filter = ("is_active", "is_staff", "account")
    search_fields = ("email", "username", "first_name", "last_name", "phone", "account__name")
    search_help_text = "Email, name, account, or phone number in any spelling"
    ordering = ("email",)
    autocomplete_fields = ("account",)
    filter_horizontal = ("groups", "user_permissions")
    readonly_fields = ("password_here", *LOGGING_IN, *flatten(RECORD))
    actions_detail = ["reset_second_factor", "unlink_single_sign_on"]
    name = column("Name", lambda user: f"{user.first_name} {user.last_name}".strip())
    add_fieldsets = (
        (None, {"fields": ("email", "first_name", "last_name", "account", "permission_level", "is_staff")}),
        ("Password", {"fields": ("password1", "password2")}),
    )
    fieldsets = (
        (None, {"fields": ("email", "username", "password_here", "account", "permission_level", "is_active")}),
        ("Person", {"fields": PERSON}),
        ("Phone service menu", {"fields": ("new_pin", "forget_pin", "pin_must_change")}),
        ("Admin", {"fields": (*GRANTS, *LOGGING_IN)}),
        ("Record", {"fields": RECORD}),
    )

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name != "timezone":
            return super().formfield_for_dbfield(db_field, request, **kwargs)
        words = "In which the person sees all times of the admin and the portal."
        return forms.ChoiceField(
            label="Time zone", choices=zone_choices, initial=UNCHOSEN, widget=UnfoldAdminSelectWidget, help_text=words
        )

    def term_match(self, term: str) -> Q:
        return text_match("phone_digits", number) if (number := digits(term)) else NOTHING

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> tuple[str, ...]:
        return self.readonly_fields if request.user.is_superuser else (*self.readonly_fields, *GRANTS)

    def is_theirs(self, request: HttpRequest, row: object) -> bool:
        safe = not isinstance(row, User) or may_change(actor_of(request), row)
        return safe and super().is_theirs(request, row)

    def get_form(self, request: HttpRequest, obj: User | None = None, change: bool = False, **kwargs: object) -> Any:
        form = super().get_form(request, obj, change=change, **kwargs)
        form.actor = actor_of(request)  # type: ignore[attr-defined]
        return form

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        if not change:
            obj.created_by = request.user  # type: ignore[assignment]
        super().save_model(request, obj, form, change)

    def _other_person(self, request: HttpRequest, object_id: object) -> User | None:
        """Whom the person at the desk may change, but not themselves: a session that was left open is not enough."""
        row = self.get_object(request, unquote(str(object_id)))
        other = isinstance(row, User) and row.pk != request.user.pk and self.has_change_permission(request, row)
        return row if other else None

    def has_reset_second_factor_permission(self, request: HttpRequest, object_id: object = None) -> bool:
        return SecondFactor.objects.filter(user=self._other_person(request, object_id)).exists()

    def has_unlink_permission(self, request: HttpRequest, object_id: object = None) -> bool:
        person = self._other_person(request, object_id)
        return person is not None and person.single_sign_on_id is not None

    @button(
        "Reset second factor…",
        question="Reset the second factor of {0}? Make sure that it is they who ask for it.",
        logged="Second factor reset.",
        done="{0} has no second factor any more.",
        icon="phonelink_erase",
        permission="reset_second_factor",
        dangerous=True,
    )
    def reset_second_factor(self, request: HttpRequest, user: User) -> None:
        take_away(user)

    @button(
        "Unlink single sign-on…",
        question="Unlink {0}? The next person who logs in by single sign-on with this address is linked anew.",
        logged="Unlinked from single sign-on.",
        done="{0} is not linked any more.",
        icon="link_off",
        permission="unlink",
        dangerous=True,
    )
    def unlink_single_sign_on(self, request: HttpRequest, user: User) -> None:
        unlink(user)

    @display(description="Second factor")
    def second_factor_here(self, user: User) -> str:
        return "Set up" if SecondFactor.objects.filter(user=user).exists() else "Not set up"

    @display(description="Password")
    def password_here(self, user: User) -> str:
        state = "Set" if user.has_usable_password() else "Not set"
        return format_html('{} (<a class="text-link" href="../password/">change</a>)', state)

    @display(description="Role", ordering="permission_level", label=ROLE_LABELS)
    def role(self, user: User) -> str:
        if user.is_superuser or (user.account_id is None and user.permission_level == 0):
            return "Staff"
        return "Owner" if user.permission_level == 0 else "Member"


admin.site.unregister(Group)


@admin.register(Group)
class GroupAdmin(DjangoGroupAdmin, PortalAdmin):
    """Sets of permissions; a person who can change them can have any, so this is for superusers."""

    tenant_path = None

    def has_view_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return request.user.is_superuser

    has_module_permission = has_add_permission = has_view_permission
    has_change_permission = has_delete_permission = has_view_permission
