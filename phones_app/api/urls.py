"""The routes of /api/v1. Words come before the UUIDs that they could be taken for."""

from django.urls import path

from phones_app.api import (
    call_manager,
    deployment,
    file_server,
    login,
    me,
    phone,
    phone_profile,
    preview,
    rollout,
    switch,
)

urlpatterns = [
    path("auth/login", login.Login.as_view()),
    path("auth/refresh", login.Refresh.as_view()),
    path("auth/logout", login.Logout.as_view()),
    path("me", me.Me.as_view()),
    path("me/phones", me.MyPhones.as_view()),
    path("phone-profiles", phone_profile.PhoneProfileList.as_view()),
    path("phone-profiles/switch", switch.Switch.as_view()),
    path("phone-profiles/user/<str:user_uuid>", phone_profile.PhoneProfilesOfUser.as_view()),
    path("phone-profiles/<str:uuid>", phone_profile.PhoneProfileDetail.as_view()),
    path("phone-profiles/<str:uuid>/preview", preview.Preview.as_view()),
    path("phones", phone.PhoneList.as_view()),
    path("phones/<str:mac>", phone.PhoneDetail.as_view()),
    path("phones/<str:mac>/look", phone.PhoneLook.as_view()),
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
    path("file-servers", file_server.FileServerList.as_view()),
    path("file-servers/<str:uuid>", file_server.FileServerDetail.as_view()),
    path("file-servers/<str:uuid>/test", file_server.FileServerTest.as_view()),
    path("call-managers", call_manager.CallManagerList.as_view()),
    path("call-managers/<str:uuid>", call_manager.CallManagerDetail.as_view()),
    path("call-managers/<str:uuid>/test", call_manager.CallManagerTest.as_view()),
]
