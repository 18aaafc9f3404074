"""The URLs of profiles: each type has the dialect of its document."""

from django.urls import include, path

from profiles_app.calls import portal as calls_portal
from profiles_app.calls import urls as calls
from profiles_app.events import urls as events
from profiles_app.events.pages import callback_unsubscribe
from profiles_app.messaging import portal as campaigns
from profiles_app.messaging import urls as messaging
from profiles_app.myaccount import urls as myaccount
from profiles_app.numbers import portal as numbers
from profiles_app.phone import urls as phone
from profiles_app.voice import portal as call_plans
from profiles_app.voice import urls as voice

# Pages of the self-service portal declare themselves, before the roof reads the portal's URLs.
PORTAL = (calls_portal.CALLS, numbers.PAGE, call_plans.CALL_PLANS, campaigns.CAMPAIGNS)
urlpatterns = [
    path("api/v1/", include(phone)),
    path("api/v1/", include(voice)),
    path("api/v1/", include(calls)),
    path("backend/api/v1/", include(myaccount)),
    path("rest/", include(messaging)),
    path("v4/", include(events)),
    path("callback-unsubscribe/<int:listener_id>/<str:code>", callback_unsubscribe, name="callback_unsubscribe"),
]
