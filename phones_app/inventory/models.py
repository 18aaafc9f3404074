"""Phones, keyed by their MAC addresses, groups of phones saved under a name, and who is logged in on which phone."""

import uuid
from datetime import timedelta

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils import timezone

from contacts_app.accounts.models import Account
from contacts_app.core.history.models import Tracked
from contacts_app.core.lists.search import TextIndex
from contacts_app.core.secrets import EncryptedTextField
from phones_app.servers.models import PORT, CallManager, FileServer
from profiles_app.phone.models import MacAddressField, PhoneProfile, SoftwareType
from profiles_app.phone.sep.catalogue import colons


class Presence(models.TextChoices):
    """What the last status checks of the phone said."""

    NEVER = "never", "Never checked"
    REACHABLE = "reachable", "Reachable"
    UNREACHABLE = "unreachable", "Unreachable"
    ANOTHER = "another", "Another phone there"


# By what lists of phones are filtered or ordered.
LISTED_BY = {
    "model": "model",
    "location": "location",
    "software_type": "software",
    "software_version": "load",
    "presence": "presence",
    "in_call": "call",
    "is_active": "activity",
    "current_profile": "profile",
    "last_seen_at": "last_seen",
}


SESSION_IDLE_LIFE = timedelta(hours=24)  # Phone profiles spec §5.


class Phone(models.Model):
    """One phone: what it is, where it is, and how it is told to restart."""

    mac = MacAddressField("MAC address", unique=True)
    # Found by the indexes of lists, as are the phones of a profile.
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="phones", db_index=False)
    uuid = models.UUIDField("UUID", default=uuid.uuid4, unique=True, editable=False)
    brand = models.CharField(max_length=64, default="Cisco", blank=True)
    model = models.CharField(max_length=64, blank=True, help_text="Such as 8845; CP-8845 and Cisco 8845 are the same.")
    name = models.CharField(max_length=255, blank=True)
    description = models.TextField(blank=True)
    hostname = models.CharField(
        max_length=255, blank=True, help_text="For people; the phone is reached at its IP address."
    )
    location = models.CharField(max_length=255, blank=True)
    is_active = models.BooleanField(default=True, help_text="Nothing is deployed to an inactive phone.")

    phone_ip = models.GenericIPAddressField("IP address", null=True, blank=True)
    phone_vlan = models.CharField("VLAN", max_length=32, blank=True)
    software_version = models.CharField(
        "load", max_length=128, blank=True, help_text="Firmware load, as sip88xx.14-2-1."
    )
    software_type = models.CharField(
        "software",
        max_length=4,
        choices=SoftwareType,
        null=True,
        blank=True,
        help_text="SIP and SIPE phones are restarted by NOTIFY, SCCP phones through Asterisk or by key presses.",
    )
    line_user = models.CharField(
        max_length=128, blank=True, help_text="User of the phone's SIP contact; empty: the first line of its profile."
    )
    sip_port = models.PositiveIntegerField(
        "SIP port", default=5060, validators=PORT, help_text="Where the phone takes a NOTIFY sent to it directly."
    )
    web_port = models.PositiveIntegerField(
        "web port", default=80, validators=PORT, help_text="Of its status pages and key presses."
    )
    web_username = models.CharField(
        "push user", max_length=128, blank=True, help_text="The phone asks the portal whether this may push to it."
    )
    web_password = EncryptedTextField("push password", blank=True, default="")

    file_server = models.ForeignKey(
        FileServer,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="phones",
        help_text="Empty: the default one.",
    )
    call_manager = models.ForeignKey(
        CallManager,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="phones",
        help_text="Empty: the phone is asked directly.",
    )
    # Assigned by people, and by each deployment that uploads another one. What lies on the file server is evidence of its
    # own: the revision of the phone's file.
    current_profile = models.ForeignKey(
        PhoneProfile,
        verbose_name="profile",
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="phones",
        db_index=False,
        help_text="Of this phone: what its next deployment uploads. Choosing another one uploads nothing by itself.",
    )
    base_profile = models.ForeignKey(
        PhoneProfile,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="base_of",
        help_text="What the phone runs while no one is logged in; empty: no one can log in on it.",
    )
    emergency_number = models.CharField(
        "emergency caller number",
        max_length=32,
        blank=True,
        default="",
        db_default="",
        help_text="Of the place, for files that are built from data: never that of the person who is logged in.",
    )
    replaced_by = models.ForeignKey(
        "self",
        null=True,
        blank=True,
        editable=False,
        on_delete=models.SET_NULL,
        related_name="replaces",
        help_text="This handset is retired; everything of it is that of the new one now.",
    )
    is_simulated = models.BooleanField(default=False, help_text="Played by `manage.py simulate_phones`.")

    # What looks at the status page have found (`status_check`); nobody edits it.
    last_seen_at = models.DateTimeField(null=True, blank=True, editable=False)
    presence = models.CharField(max_length=16, choices=Presence, default=Presence.NEVER, editable=False)
    presence_since = models.DateTimeField(null=True, editable=False)
    in_call = models.BooleanField(null=True, editable=False)
    serial_number = models.CharField(max_length=64, blank=True, editable=False)
    mac_there = models.CharField(
        "MAC there",
        max_length=12,
        blank=True,
        editable=False,
        help_text="Of the other phone that answers at the IP address.",
    )
    looked_at = models.DateTimeField(null=True, editable=False)
    look_error = models.CharField(max_length=255, blank=True, editable=False)
    missed_checks = models.PositiveSmallIntegerField(default=0, editable=False)
    next_check_at = models.DateTimeField(default=timezone.now, editable=False)

    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    history = Tracked(
        quiet=[
            "last_seen_at", "presence", "presence_since", "in_call", "mac_there", "looked_at", "look_error",
            "missed_checks", "next_check_at",
        ]
    )  # fmt: skip

    class Meta:
        ordering = ["mac"]
        # Of the cockpit: each lets people see more of what somebody does at the phone, or do it for them.
        permissions = [
            ("see_phone_screen", "Can see the screens of phones"),
            ("press_phone_keys", "Can press the keys of phones"),
            ("read_phone_pages", "Can read the status pages of phones"),
            ("read_phone_log", "Can read the logs of phones"),
        ]
        indexes = [
            # A list is filtered and read in its order from one index, that of an account from one of its own: what is
            # rare there may be frequent elsewhere. With the key a deep page is found without a look at the rows.
            *(
                models.Index(fields=[*of, field, "mac", "id"], name=f"phone_{'of_account_' * len(of)}by_{word}")
                for of in ((), ("account",))
                for field, word in LISTED_BY.items()
            ),
            models.Index(fields=["mac", "id"], name="phone_by_mac"),
            models.Index(fields=["account", "mac", "id"], name="phone_of_account"),
            models.Index(fields=["phone_ip"], name="phone_by_ip"),
            models.Index(
                fields=["next_check_at"], condition=Q(is_active=True, phone_ip__isnull=False), name="phone_look_due"
            ),
            TextIndex(
                fields=["mac", "name", "description", "hostname", "location", "model", "line_user", "phone_ip"],
                name="phone_text",
            ),
        ]

    def __str__(self) -> str:
        return f"{colons(self.mac)} {self.name}".strip() if self.mac else "new phone"

    @property
    def mac_with_colons(self) -> str:
        return colons(self.mac)


class PhoneGroup(models.Model):
    """A saved selection of an account's phones, such as *Third floor* or *Pilot users*."""

    uuid = models.UUIDField("UUID", default=uuid.uuid4, unique=True, editable=False)
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="phone_groups")
    name = models.CharField(max_length=255)
    phones: "models.ManyToManyField[Phone, models.Model]" = models.ManyToManyField(
        Phone, blank=True, related_name="groups"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    history = Tracked(links=["phones"])

    class Meta:
        ordering = ["name", "pk"]
        indexes = [
            models.Index(fields=["name", "id"], name="phone_group_by_name"),
            TextIndex(fields=["name"], name="phone_group_text"),
        ]
        constraints = [
            models.UniqueConstraint(
                "account",
                Lower("name"),
                name="phone_group_name_once_per_account",
                violation_error_message="There is a group of this name already.",
            )
        ]

    def __str__(self) -> str:
        return self.name


class ServiceSession(models.Model):
    """A person logged in on a phone's service menu. It belongs to the MAC and ends after 24 idle hours."""

    mac = MacAddressField("MAC address", unique=True)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="service_sessions")
    address = models.CharField(max_length=64, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    last_used_at = models.DateTimeField()

    class Meta:
        ordering = ["-last_used_at", "-pk"]
        indexes = [
            models.Index(fields=["-last_used_at", "-id"], name="service_session_by_use"),
            TextIndex(fields=["mac", "address"], name="service_session_text"),
        ]

    def __str__(self) -> str:
        return f"{self.user} on {self.mac}"

    @property
    def is_live(self) -> bool:
        return timezone.now() - self.last_used_at < SESSION_IDLE_LIFE
