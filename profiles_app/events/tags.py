"""The tags that events bear and subscriptions ask for (events spec §5.4)."""

PUBLISHED = (
    "inbound",
    "outbound",
    "call",
    "new-call",
    "connecting-call",
    "connected-call",
    "completed-call",
    "first-leg",
    "not-first-leg",
    "to-did",
    "from-did",
    "to-extension",
    "from-extension",
    "message",
    "sms-message",
    "mms-message",
    "*ms-message",
    "api-error",
    "api-error-trusted",
    "call-log",
    "recording",
    "call-recording",
    "message-status",
    "voicemail-recording",
)
# In the guide alone, as planned, unstable or deprecated.
GUIDE_ONLY = (
    "received-message",
    "sent-message",
    "delivered-message",
    "fax",
    "voicemail-transcript",
    "listener-callback",
    "deactivated-listener-callback",
    "deleted-listener-callback",
)
# Patchbay's own events. Each bears the general tag and the particular one; see docs/events.md.
OWN = (
    "profile",
    "phone-profile",
    "event-profile",
    "messaging-profile",
    "outbound-voice-profile",
    "myaccount-profile",
    "created-profile",
    "changed-profile",
    "deleted-profile",
    "deployment",
    "uploaded-deployment",
    "confirmed-deployment",
    "failed-deployment",
    "phone",
    "restarted-phone",
    "phone-unreachable",
    "phone-seen-again",
    "phone-at-another-address",
    "phone-file-changed",
    "phone-file-missing",
    "phone-file-in-place",
    "rollout",
    "started-rollout",
    "paused-rollout",
    "aborted-rollout",
    "finished-rollout",
    "api-token",
    "created-token",
    "revoked-token",
    "test-event",
)
# What other systems may feed in: telling of what happens here is for Patchbay alone.
FOREIGN = tuple(tag for tag in PUBLISHED + GUIDE_ONLY if not tag.endswith("listener-callback"))
TAGS = PUBLISHED + GUIDE_ONLY + OWN
# Errors of the API concern the account, so no extension hears of them.
ACCOUNT_TAGS = ("api-error", "api-error-trusted")
