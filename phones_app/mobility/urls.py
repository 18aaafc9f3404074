"""The routes of one's own phones in /api/v1."""

from contacts_app.core.api.viewset import DialectRouter
from phones_app.mobility.api.directory import MyPhones

router = DialectRouter()
router.register("me", MyPhones)
urlpatterns = router.urls
