"""The URLs of phones: their part of /api/v1, and what phones themselves ask for."""

from django.conf import settings
from django.urls import include, path

from phones_app.boot import urls as boot
from phones_app.cockpit import urls as cockpit
from phones_app.configuration import urls as configuration
from phones_app.demo import receiver
from phones_app.deployment import urls as deployment
from phones_app.drift import urls as drift
from phones_app.firmware import urls as firmware
from phones_app.inventory import urls as inventory
from phones_app.mobility import pages as phone_services
from phones_app.mobility import portal
from phones_app.mobility import urls as mobility
from phones_app.mobility.pages import cucm
from phones_app.rollout import urls as rollout
from phones_app.servers import urls as servers
from phones_app.shared_files import urls as shared_files

# What subjects have in the self-service portal: their pages are declared when they are imported.
PORTAL = (portal,)
FAMILY = (
    servers,
    inventory,
    shared_files,
    firmware,
    boot,
    deployment,
    drift,
    rollout,
    mobility,
    cockpit,
    configuration,
)
# The demo's own receiver of callbacks.
DEMO = [path(receiver.PATH, receiver.receive, name="demo_receiver")] if settings.DEMO_RECEIVER else []
urlpatterns = [
    *DEMO,
    path("cisco/services/", include(phone_services)),
    # As CUCM has them, from the root.
    path("", include(cucm)),
    # As one list, so that what is asked for below another prefix is compared with this one once.
    path("api/v1/", include([route for subject in FAMILY for route in subject.urlpatterns])),
]
