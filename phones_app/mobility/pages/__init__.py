"""`/cisco/services`: what phones ask for, without credentials of the API (phone profiles spec §7)."""

from phones_app.mobility.pages import authenticate, directories, login

urlpatterns = [*authenticate.urlpatterns, *directories.urlpatterns, *login.urlpatterns]
