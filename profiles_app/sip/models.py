"""Where calls to an account's numbers go: SIP connections (a PBX of the account) and SIP control apps (a program that
decides call by call), and which of them each number is assigned to (messaging spec §4.6).
"""

from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.db.models import SET_NULL, Q

from contacts_app.core.history.models import Tracked
from contacts_app.core.lists.search import TextIndex
from profiles_app.messaging.models import MessagingRecord, NumberLease
from profiles_app.voice.models.profile import OutboundVoiceProfile

# A label of a host name (RFC 1123 §2.1), in lower case.
LABEL = RegexValidator(
    r"\A[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\Z", "Lower-case letters, digits and dashes, 1 to 63, no dash at either end."
)
MIN_PORT, MAX_PORT = 1, 65_535
USUAL_PORT = 5060


class SipRecord(MessagingRecord):
    """What SIP connections and SIP control apps have in common."""

    name = models.CharField(max_length=255)
    is_active = models.BooleanField("active", default=True, help_text="An inactive one takes no calls.")
    subdomain = models.CharField(
        max_length=63,
        blank=True,
        validators=[LABEL],
        help_text="Its label below the provider's SIP domain; empty: none.",
    )
    outbound_voice_profile = models.ForeignKey(
        OutboundVoiceProfile,
        null=True,
        blank=True,
        on_delete=SET_NULL,
        related_name="%(class)ss",
        help_text="Limits of its outbound calls.",
    )

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.name


class SipConnection(SipRecord):
    """A PBX or trunk of the account, at its address or registered below its subdomain."""

    ip = models.GenericIPAddressField("IP address", null=True, blank=True, help_text="Empty: it registers itself.")
    port = models.PositiveIntegerField(
        default=USUAL_PORT,
        validators=[MinValueValidator(MIN_PORT), MaxValueValidator(MAX_PORT)],
        help_text="SIP port at that address.",
    )

    history = Tracked()

    class Meta:
        ordering = ["created_at", "pk"]
        verbose_name = "SIP connection"
        indexes = [
            models.Index(fields=["account", "created_at", "id"], name="sip_connection_of_account"),
            models.Index(fields=["created_at", "id"], name="sip_connection_by_age"),
            models.Index(fields=["is_active", "created_at", "id"], name="sip_connection_by_activity"),
            models.Index(fields=["name", "id"], name="sip_connection_by_name"),
            TextIndex(fields=["name"], name="sip_connection_text"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["subdomain"],
                condition=~Q(subdomain=""),
                name="sip_connection_subdomain_once",
                violation_error_message="This subdomain is taken.",
            )
        ]


class SipControlApp(SipRecord):
    """A program that takes the calls to its numbers and decides what happens to each of them."""

    history = Tracked()

    class Meta:
        ordering = ["created_at", "pk"]
        verbose_name = "SIP control app"
        indexes = [
            models.Index(fields=["account", "created_at", "id"], name="sip_app_of_account"),
            models.Index(fields=["created_at", "id"], name="sip_app_by_age"),
            models.Index(fields=["is_active", "created_at", "id"], name="sip_app_by_activity"),
            models.Index(fields=["name", "id"], name="sip_app_by_name"),
            TextIndex(fields=["name"], name="sip_app_text"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["subdomain"],
                condition=~Q(subdomain=""),
                name="sip_app_subdomain_once",
                violation_error_message="This subdomain is taken.",
            )
        ]


class NumberRouting(models.Model):
    """What a number is assigned to. A number without a row is assigned to nothing."""

    lease = models.OneToOneField(NumberLease, on_delete=models.CASCADE, related_name="routing")
    sip_connection = models.ForeignKey(
        SipConnection, null=True, blank=True, on_delete=SET_NULL, related_name="routings", verbose_name="SIP connection"
    )
    sip_control_app = models.ForeignKey(
        SipControlApp,
        null=True,
        blank=True,
        on_delete=SET_NULL,
        related_name="routings",
        verbose_name="SIP control app",
    )
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    history = Tracked(part_of="lease")

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return str(self.lease)
