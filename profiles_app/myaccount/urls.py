"""The routes of /backend/api/v1, each with and without a slash at its end (MyAccount spec §1)."""

from contacts_app.core.api.viewset import DialectRouter
from profiles_app.myaccount.api.customer import Customers, Presets
from profiles_app.myaccount.api.profile import MyAccountProfiles


class MyAccountRouter(DialectRouter):
    """The document prints a slash at the end of the list alone."""

    routes = [DialectRouter.routes[0]._replace(url="{prefix}/"), *DialectRouter.routes[1:]]


router = MyAccountRouter(both_ends=True)
router.register("myAccountCustomerProfiles", MyAccountProfiles)
router.register("customers", Customers)
router.register("", Presets)
urlpatterns = router.urls
