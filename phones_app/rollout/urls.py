"""The routes of rollouts in /api/v1."""

from contacts_app.core.api.viewset import DialectRouter
from phones_app.rollout.api import Rollouts

router = DialectRouter()
router.register("rollouts", Rollouts)
urlpatterns = router.urls
