"""WHERE: the models of the subjects, for Django to find."""

from phones_app.boot import models as boot
from phones_app.configuration import models as configuration
from phones_app.deployment import models as deployment
from phones_app.inventory import models as inventory
from phones_app.mobility import models as mobility
from phones_app.rollout import models as rollout
from phones_app.servers import models as servers

__all__ = ["boot", "configuration", "deployment", "inventory", "mobility", "rollout", "servers"]
