"""The routes of the change log in /api/v1."""

from contacts_app.core.api.viewset import DialectRouter
from contacts_app.core.history.api import Changes

router = DialectRouter()
router.register("changes", Changes)
urlpatterns = router.urls
