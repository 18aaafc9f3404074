"""The routes of the cockpit of phones, in /api/v1."""

from contacts_app.core.api.viewset import DialectRouter
from phones_app.cockpit.api import Cockpit

router = DialectRouter()
router.register("phones", Cockpit)
urlpatterns = router.urls
