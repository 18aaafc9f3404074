"""The routes of servers in /api/v1."""

from contacts_app.core.api.viewset import DialectRouter
from phones_app.servers.api import CallManagers, FileServers

router = DialectRouter()
router.register("file-servers", FileServers)
router.register("call-managers", CallManagers)
urlpatterns = router.urls
