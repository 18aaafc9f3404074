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
TAGS = PUBLISHED + GUIDE_ONLY
# Errors of the API concern the account, so no extension hears of them.
ACCOUNT_TAGS = ("api-error", "api-error-trusted")
