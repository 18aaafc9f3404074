"""The ready-made roles, as groups of permissions. Made once: what becomes of them afterwards is the administrators'.

A role of this name that is there already stays as it is.
"""

from django.apps import apps as installed
from django.contrib.auth.management import create_permissions
from django.db import migrations

APPS = ("contacts_app", "profiles_app", "phones_app")
EVERY = ("view", "add", "change", "delete")
REVEAL = "contacts_app.reveal_secrets"
# What the portal writes itself and nobody changes by hand is only looked at.
ONLY_SEEN = {
    "contacts_app": {"incident", "keptanswer", "mail", "notice", "uploadedcsv", "workstatus"},
    "profiles_app": {"callbackqueue", "deliveryattempt", "event", "inboundmessage", "profilerevision", "stickysender"},
    "phones_app": {"deploymentstep", "filefetch", "lastdeployment", "phonefile", "rolloutmember"},
}
DAILY = {
    "contacts_app": {"extension", "notificationcontact", "notificationpreference"},
    "profiles_app": None,
    "phones_app": {"deployment", "leftfile", "phone", "phonegroup", "pinfailures", "rollout", "servicesession"},
}
OF_A_TENANT = {
    "contacts_app": {"apitoken", "extension", "notificationcontact", "notificationpreference", "user"},
    "profiles_app": None,
    "phones_app": {*DAILY["phones_app"], "callmanager", "fileserver"},
}
# What the pages of these rows let people do with them, although nobody writes them by hand.
ACTIONS = ("contacts_app.change_mail", "profiles_app.change_inboundmessage", "profiles_app.add_inboundmessage")
HELP_DESK = (
    *("phones_app.change_phone", "phones_app.add_deployment", "phones_app.delete_servicesession"),
    *("phones_app.delete_pinfailures", "contacts_app.change_mail", "profiles_app.change_delivery"),
)
LOOKED_AT_BY_HELP_DESK = {
    "contacts_app": {"account", "extension", "mail", "notificationcontact", "notificationpreference", "user"},
    "profiles_app": {"delivery", "deliveryattempt", "event", "phoneprofile", "profilerevision"},
    "phones_app": None,
}


def verbs_of(kinds, verbs):
    """Says whether a permission is one of these verbs for one of these kinds of rows; None: of all of the app."""

    def chosen(app, codename):
        verb, _, model = codename.partition("_")
        known = kinds.get(app, ())
        return verb in verbs and (known is None or model in known) and model not in ONLY_SEEN[app]

    return chosen


def sees(app, codename):
    return codename.startswith("view_")


def looks(app, codename):
    kinds = LOOKED_AT_BY_HELP_DESK[app]
    return sees(app, codename) and (kinds is None or codename.removeprefix("view_") in kinds)


EVERYWHERE = dict.fromkeys(APPS)
ROLES = {
    "Administrator": ([sees, verbs_of(EVERYWHERE, EVERY)], (REVEAL, *ACTIONS, "profiles_app.add_event")),
    "Operator": ([sees, verbs_of(DAILY, EVERY)], (REVEAL, *ACTIONS)),
    "Help desk": ([looks], HELP_DESK),
    "Auditor": ([sees], ()),
    "Tenant administrator": (
        [sees, verbs_of(OF_A_TENANT, EVERY)],
        (REVEAL, *ACTIONS, "contacts_app.change_account", "contacts_app.change_loginsession"),
    ),
}


def make_roles(apps, schema_editor):
    # Django makes permissions when all migrations are done.
    for label in APPS:
        create_permissions(installed.get_app_config(label), apps=apps, verbosity=0)
    Group, Permission = apps.get_model("auth", "Group"), apps.get_model("auth", "Permission")
    rows = [
        (row, row.content_type.app_label)
        for row in Permission.objects.filter(content_type__app_label__in=APPS).select_related("content_type")
        if not row.content_type.model.startswith("historical")
    ]
    for name, (rules, named) in ROLES.items():
        group, is_new = Group.objects.get_or_create(name=name)
        if is_new:
            group.permissions.set(
                row
                for row, app in rows
                if f"{app}.{row.codename}" in named or any(rule(app, row.codename) for rule in rules)
            )


class Migration(migrations.Migration):
    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
        ("contacts_app", "0005_second_factor"),
        ("profiles_app", "0003_request_of_event"),
        ("phones_app", "0008_pin_failures"),
    ]
    operations = [migrations.RunPython(make_roles, migrations.RunPython.noop)]
