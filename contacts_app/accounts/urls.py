"""The routes of accounts in /api/v1."""

from contacts_app.accounts.api import Extensions
from contacts_app.core.api.viewset import DialectRouter

router = DialectRouter()
router.register("extensions", Extensions)
urlpatterns = router.urls
