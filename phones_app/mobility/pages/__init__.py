"""`/cisco/services`: what phones ask for, without credentials of the API (phone profiles spec §7)."""

from phones_app.mobility.pages import authenticate, directories, enrolment, login, pin

urlpatterns = [
    *authenticate.urlpatterns,
    *directories.urlpatterns,
    *enrolment.urlpatterns,
    *login.urlpatterns,
    *pin.urlpatterns,
]
