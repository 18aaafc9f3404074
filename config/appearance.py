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


# Sections of lists: the model, its title and its icon.
SECTIONS = {
    "Phones": [
        ("phones_app.phone", "Phones", "deskphone"),
        ("profiles_app.phoneprofile", "Phone profiles", "description"),
        ("phones_app.phonegroup", "Phone groups", "group_work"),
        ("phones_app.rollout", "Rollouts", "stacked_line_chart"),
        ("phones_app.deployment", "Deployments", "rocket_launch"),
    ],
    "Events": [
        ("profiles_app.eventprofile", "Event profiles", "support_agent"),
        ("profiles_app.callback", "Callbacks", "webhook"),
        ("profiles_app.listener", "Listeners", "hearing"),
        ("profiles_app.event", "Events", "bolt"),
        ("profiles_app.delivery", "Deliveries", "outbox"),
    ],
    "Service profiles": [
        ("profiles_app.myaccountprofile", "MyAccount profiles", "web"),
        ("profiles_app.customerprofile", "Assigned profiles", "assignment_ind"),
    ],
    "Network": [
        ("phones_app.fileserver", "File servers", "dns"),
        ("phones_app.callmanager", "Call managers", "settings_phone"),
        ("phones_app.keymacro", "Key macros", "dialpad"),
        ("phones_app.filefetch", "File fetches", "download"),
        ("phones_app.servicesession", "Service sessions", "person_pin"),
    ],
    "Messages and calls": [
        ("profiles_app.messagingprofile", "Messaging profiles", "forum"),
        ("profiles_app.outboundvoiceprofile", "Outbound voice profiles", "phone_forwarded"),
        ("profiles_app.numberlease", "Numbers", "call"),
        ("profiles_app.stickysender", "Sticky senders", "push_pin"),
        ("profiles_app.inboundmessage", "Inbound messages", "inbox"),
    ],
    "Accounts and people": [
        ("contacts_app.account", "Accounts", "apartment"),
        ("contacts_app.accountgroup", "Account groups", "groups"),
        ("contacts_app.extension", "Extensions", "tag"),
        ("contacts_app.notificationcontact", "Notification contacts", "contact_mail"),
        ("contacts_app.mail", "Mail", "outgoing_mail"),
        ("contacts_app.user", "Users", "person"),
        ("auth.group", "Groups", "group"),
        ("contacts_app.apitoken", "API tokens", "key"),
        ("contacts_app.loginsession", "Login sessions", "login"),
    ],
}
NAVIGATION: list[dict[str, Any]] = [
    {"items": [{"title": "Overview", "icon": "dashboard", "link": reverse_lazy("admin:index")}]},
    *(
        {"title": title, "separator": title != "Phones", "items": [_list_of(*each) for each in lists]}
        for title, lists in SECTIONS.items()
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
