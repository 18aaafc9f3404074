"""The routes of phones' files in /api/v1."""

from contacts_app.core.api.viewset import DialectRouter
from phones_app.drift.api import PhoneFiles

router = DialectRouter()
router.register("phones", PhoneFiles)
urlpatterns = router.urls
