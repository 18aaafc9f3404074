"""Which site the admin is."""

from django.contrib.admin.apps import SimpleAdminConfig


class PortalAdminConfig(SimpleAdminConfig):
    """Finds no pages by itself, config.urls does: only who serves them needs them, and workers and commands start a
    third faster.
    """

    default_site = "contacts_app.people.site.PortalSite"
