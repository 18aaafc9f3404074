"""The routes of deployments in /api/v1, and what they add to those of phone profiles."""

from contacts_app.core.api.viewset import DialectRouter
from phones_app.deployment.api.deployment import Deployments
from phones_app.deployment.api.left_file import LeftFiles
from phones_app.deployment.api.switch import ProfilesOnPhones

router = DialectRouter()
router.register("deployments", Deployments)
router.register("left-files", LeftFiles)
router.register("phone-profiles", ProfilesOnPhones)
urlpatterns = router.urls
