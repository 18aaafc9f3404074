"""WHERE: the models of the subjects, for Django to find."""

from phones_app.boot import models as boot
from phones_app.configuration import models as configuration
from phones_app.deployment import models as deployment
from phones_app.firmware import models as firmware
from phones_app.inventory import models as inventory
from phones_app.mobility import models as mobility
from phones_app.rollout import models as rollout
from phones_app.servers import models as servers
from phones_app.shared_files import models as shared_files
from phones_app.upgrades import models as upgrades

__all__ = [
    "boot",
    "configuration",
    "deployment",
    "firmware",
    "inventory",
    "mobility",
    "rollout",
    "servers",
    "shared_files",
    "upgrades",
]
