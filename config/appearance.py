"""How the admin looks: name, logo, colours and navigation. Nothing of it is loaded from elsewhere."""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse_lazy


def _file(name: str) -> Callable[[HttpRequest], str]:
    return lambda request: static(f"patchbay/{name}")


def _list_of(model: str, title: str, icon: str) -> dict[str, Any]:
    """A link to the list of a model ("app.model"), for those who may see it."""
    app, name = model.split(".")
    return {
        "title": title,
        "icon": icon,
        "link": reverse_lazy(f"admin:{app}_{name}_changelist"),
        "permission": lambda request: request.user.has_perm(f"{app}.view_{name}"),
    }


def _group(title: str, *items: dict[str, Any]) -> dict[str, Any]:
    return {"title": title, "separator": True, "items": list(items)}


NAVIGATION = [
    {"items": [{"title": "Overview", "icon": "dashboard", "link": reverse_lazy("admin:index")}]},
    _group(
        "Phones",
        _list_of("phones_app.phone", "Phones", "deskphone"),
        _list_of("profiles_app.phoneprofile", "Phone profiles", "description"),
        _list_of("phones_app.phonegroup", "Phone groups", "group_work"),
        _list_of("phones_app.rollout", "Rollouts", "stacked_line_chart"),
        _list_of("phones_app.deployment", "Deployments", "rocket_launch"),
    )
    | {"separator": False},
    _group(
        "Events",
        _list_of("profiles_app.eventprofile", "Event profiles", "support_agent"),
        _list_of("profiles_app.callback", "Callbacks", "webhook"),
        _list_of("profiles_app.listener", "Listeners", "hearing"),
        _list_of("profiles_app.event", "Events", "bolt"),
        _list_of("profiles_app.delivery", "Deliveries", "outbox"),
    ),
    _group(
        "Service profiles",
        _list_of("profiles_app.myaccountprofile", "MyAccount profiles", "web"),
        _list_of("profiles_app.customerprofile", "Assigned profiles", "assignment_ind"),
    ),
    _group(
        "Network",
        _list_of("phones_app.fileserver", "File servers", "dns"),
        _list_of("phones_app.callmanager", "Call managers", "settings_phone"),
        _list_of("phones_app.keymacro", "Key macros", "dialpad"),
        _list_of("phones_app.filefetch", "File fetches", "download"),
        _list_of("phones_app.servicesession", "Service sessions", "person_pin"),
    ),
    _group(
        "Messages and calls",
        _list_of("profiles_app.messagingprofile", "Messaging profiles", "forum"),
        _list_of("profiles_app.outboundvoiceprofile", "Outbound voice profiles", "phone_forwarded"),
        _list_of("profiles_app.numberlease", "Numbers", "call"),
        _list_of("profiles_app.stickysender", "Sticky senders", "push_pin"),
        _list_of("profiles_app.inboundmessage", "Inbound messages", "inbox"),
    ),
    _group(
        "Accounts and people",
        _list_of("contacts_app.account", "Accounts", "apartment"),
        _list_of("contacts_app.accountgroup", "Account groups", "groups"),
        _list_of("contacts_app.extension", "Extensions", "tag"),
        _list_of("contacts_app.notificationcontact", "Notification contacts", "contact_mail"),
        _list_of("contacts_app.mail", "Mail", "outgoing_mail"),
        _list_of("contacts_app.user", "Users", "person"),
        _list_of("auth.group", "Groups", "group"),
        _list_of("contacts_app.apitoken", "API tokens", "key"),
        _list_of("contacts_app.loginsession", "Login sessions", "login"),
    ),
]

# A petrol blue: apart from the green, orange and red that tell states.
PRIMARY = {
    "50": "oklch(97.2% .014 220)",
    "100": "oklch(94.1% .030 220)",
    "200": "oklch(88.6% .055 220)",
    "300": "oklch(80.4% .085 220)",
    "400": "oklch(70.5% .105 222)",
    "500": "oklch(60.0% .108 224)",
    "600": "oklch(49.5% .095 225)",
    "700": "oklch(42.6% .082 226)",
    "800": "oklch(36.8% .068 227)",
    "900": "oklch(32.2% .056 228)",
    "950": "oklch(23.5% .042 230)",
}

UNFOLD = {
    "SITE_TITLE": "Patchbay",
    "SITE_HEADER": "Patchbay",
    "SITE_SUBHEADER": "Phone provisioning",
    "SITE_ICON": _file("icon.svg"),
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": _file("icon.svg")}],
    "SITE_URL": None,
    "SHOW_VIEW_ON_SITE": False,
    "DASHBOARD_CALLBACK": "contacts_app.core.admin.overview.overview",
    "STYLES": [_file("admin.css")],
    "SCRIPTS": [_file("admin.js")],
    "COLORS": {"primary": PRIMARY},
    "SIDEBAR": {"navigation": NAVIGATION},
}
