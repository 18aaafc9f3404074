"""The route of firmware in /api/v1."""

from contacts_app.core.api.viewset import DialectRouter
from phones_app.firmware.api import FirmwareLoads

router = DialectRouter()
router.register("firmware", FirmwareLoads)
urlpatterns = router.urls
