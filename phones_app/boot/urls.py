"""The route of boot traces, in /api/v1."""

from contacts_app.core.api.viewset import DialectRouter
from phones_app.boot.api import BootTraces

router = DialectRouter()
router.register("phones", BootTraces)
urlpatterns = router.urls
