"""The routes of /rest."""

from django.urls import path

from profiles_app.api.messaging import (
    inbound_message,
    login,
    messaging_profile,
    number_lease,
    outbound_voice_profile,
    token,
)

urlpatterns = [
    path("auth", login.Auth.as_view()),
    path("token", token.TokenCreation.as_view()),
    path("token/list", token.TokenList.as_view()),
    path("token/all", token.AllTokens.as_view()),
    path("token/<str:token>", token.TokenItem.as_view()),
    path("profile/messaging", messaging_profile.MessagingProfileCollection.as_view()),
    path("profile/messaging/<str:uuid>", messaging_profile.MessagingProfileItem.as_view()),
    path("profile/messaging/<str:uuid>/tnleases", messaging_profile.MessagingProfileLeases.as_view()),
    path("profile/messaging/<str:uuid>/sender", messaging_profile.MessagingProfileSender.as_view()),
    path("profile/outbound_voice", outbound_voice_profile.OutboundVoiceProfileCollection.as_view()),
    path("profile/outbound_voice/<str:uuid>", outbound_voice_profile.OutboundVoiceProfileItem.as_view()),
    path("lease/tn", number_lease.LeaseCollection.as_view()),
    path("lease/tn/<str:uuid>", number_lease.LeaseItem.as_view()),
    path("lease/tn/<str:uuid>/outcome", number_lease.LeaseOutcome.as_view()),
    path("sms/inbound", inbound_message.InboundMessages.as_view()),
]
