"""The routes of /api/v1. Words come before the UUIDs that they could be taken for."""

from django.urls import path

from contacts_app.accounts import api as extension
from contacts_app.people.api import login, me, users
from phones_app.deployment.api import deployment, switch
from phones_app.deployment.api import switch as preview
from phones_app.drift import api as phone_file
from phones_app.inventory.api import phone, registration, sheets
from phones_app.rollout import api as rollout
from phones_app.servers.api import servers
from profiles_app.phone.api import profile as phone_profile
from profiles_app.phone.api import revision

urlpatterns = [
    path("auth/login", login.Login.as_view()),
    path("auth/register", registration.Register.as_view()),
    path("auth/refresh", login.Refresh.as_view()),
    path("auth/logout", login.Logout.as_view()),
    path("me", me.Me.as_view()),
    path("me/phones", me.MyPhones.as_view()),
    path("me/cisco-services/personal", me.MyDirectory.as_view()),
    path("users", users.UserList.as_view()),
    path("users/<str:uuid>", users.UserDetail.as_view()),
    path("extensions", extension.ExtensionList.as_view()),
    path("extensions/<int:id>", extension.ExtensionDetail.as_view()),
    path("permissions", users.PermissionList.as_view()),
    path("phone-profiles", phone_profile.PhoneProfileList.as_view()),
    path("phone-profiles/switch", switch.Switch.as_view()),
    path("phone-profiles/user/<str:user_uuid>", phone_profile.PhoneProfilesOfUser.as_view()),
    path("phone-profiles/<str:uuid>", phone_profile.PhoneProfileDetail.as_view()),
    path("phone-profiles/<str:uuid>/preview", preview.Preview.as_view()),
    path("phone-profiles/<str:uuid>/revisions", revision.RevisionList.as_view()),
    path("phone-profiles/<str:uuid>/revisions/compare", revision.RevisionComparison.as_view()),
    path("phone-profiles/<str:uuid>/revisions/<str:number>", revision.RevisionDetail.as_view()),
    path("phone-profiles/<str:uuid>/revisions/<str:number>/restore", revision.RevisionRestore.as_view()),
    path("phones.csv", sheets.PhonesAsCsv.as_view()),
    path("phone-profiles.csv", sheets.PhoneProfilesAsCsv.as_view()),
    path("notification-contacts.csv", sheets.ContactsAsCsv.as_view()),
    path("phones", phone.PhoneList.as_view()),
    path("phones/<str:mac>", phone.PhoneDetail.as_view()),
    path("phones/<str:mac>/look", phone.PhoneLook.as_view()),
    path("phones/<str:mac>/file", phone_file.PhoneFileDetail.as_view()),
    path("phones/<str:mac>/file/put-back", phone_file.PhoneFilePutBack.as_view()),
    path("phones/<str:mac>/file/adopt", phone_file.PhoneFileAdopt.as_view()),
    path("deployments", deployment.DeploymentList.as_view()),
    path("deployments/<str:uuid>", deployment.DeploymentDetail.as_view()),
    path("deployments/<str:uuid>/cancel", deployment.DeploymentCancel.as_view()),
    path("deployments/<str:uuid>/retry", deployment.DeploymentRetry.as_view()),
    path("rollouts", rollout.RolloutList.as_view()),
    path("rollouts/<str:uuid>", rollout.RolloutDetail.as_view()),
    path("rollouts/<str:uuid>/pause", rollout.RolloutPause.as_view()),
    path("rollouts/<str:uuid>/resume", rollout.RolloutResume.as_view()),
    path("rollouts/<str:uuid>/cancel", rollout.RolloutCancel.as_view()),
    path("rollouts/<str:uuid>/retry", rollout.RolloutRetry.as_view()),
    path("file-servers", servers.FileServerList.as_view()),
    path("file-servers/<str:uuid>", servers.FileServerDetail.as_view()),
    path("file-servers/<str:uuid>/test", servers.FileServerTest.as_view()),
    path("call-managers", servers.CallManagerList.as_view()),
    path("call-managers/<str:uuid>", servers.CallManagerDetail.as_view()),
    path("call-managers/<str:uuid>/test", servers.CallManagerTest.as_view()),
]
