"""What phones depend on: call managers, the key presses that restart them, and the file servers that they fetch from."""

import uuid

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q

from contacts_app.accounts.models import Account
from contacts_app.core.history.models import Tracked
from contacts_app.core.lists.search import TextIndex
from contacts_app.core.secrets import EncryptedTextField
from phones_app.transports.restart.sip_message import DEFAULT_STAMPS, parse_stamps

PORT = [MinValueValidator(1), MaxValueValidator(65535)]


class Transport(models.TextChoices):
    UDP = "udp", "UDP"
    TCP = "tcp", "TCP"


DEFAULT_STAMP_TEXT = "\n".join(f"{name}={{{value}}}" for name, value in DEFAULT_STAMPS)


def check_stamps(text: str) -> None:
    try:
        parse_stamps(text)
    except ValueError as error:
        raise ValidationError(str(error)) from None


class CallManager(models.Model):
    """A SIP server that passes NOTIFY on, or an Asterisk that is asked over its manager interface (AMI)."""

    class Kind(models.TextChoices):
        SIP = "sip", "SIP: NOTIFY sent to this address"
        AMI = "ami", "AMI: Asterisk manager interface"

    class Channel(models.TextChoices):
        PJSIP = "pjsip", "PJSIP"
        CHAN_SIP = "chan_sip", "chan_sip"

    class Action(models.TextChoices):
        RESTART = "restart", "restart: read the file again"
        RESET = "reset", "reset: reboot"

    uuid = models.UUIDField("UUID", default=uuid.uuid4, unique=True, editable=False)
    account = models.ForeignKey(
        Account,
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="call_managers",
        help_text="Empty: shared.",
    )
    name = models.CharField(max_length=255)
    kind = models.CharField(
        max_length=3,
        choices=Kind,
        help_text="AMI knows where phones are registered; SIP, for other registrars, needs no log-in.",
    )
    host = models.CharField("address", max_length=255)
    port = models.PositiveIntegerField(validators=PORT, help_text="Usually 5060 for SIP, 5038 for AMI.")
    transport = models.CharField(max_length=3, choices=Transport, default=Transport.UDP, help_text="SIP only.")
    username = models.CharField(max_length=255, blank=True, help_text="AMI only.")
    password = EncryptedTextField(blank=True, default="", help_text="AMI only.")
    channel = models.CharField(
        "channel driver",
        max_length=8,
        choices=Channel,
        default=Channel.PJSIP,
        help_text="AMI only: which driver SIP phones register at.",
    )
    action = models.CharField(max_length=8, choices=Action, default=Action.RESTART)
    stamps = models.TextField(
        default=DEFAULT_STAMP_TEXT,
        blank=True,
        validators=[check_stamps],
        help_text="Version stamps of the NOTIFY, Name={value} a line; some firmware refuses those it does not know.",
    )
    tested_at = models.DateTimeField(null=True, blank=True, editable=False)
    test_result = models.TextField(blank=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    history = Tracked(quiet=["tested_at", "test_result"])

    class Meta:
        ordering = ["name", "pk"]
        indexes = [
            models.Index(fields=["name", "id"], name="call_manager_by_name"),
            models.Index(fields=["kind", "name", "id"], name="call_manager_by_kind"),
            TextIndex(fields=["name", "host"], name="call_manager_text"),
        ]

    def __str__(self) -> str:
        return self.name


class KeyMacro(models.Model):
    """Key presses that restart phones of some models: Cisco has no other restart by HTTP (Cisco phones spec §1.4)."""

    name = models.CharField(max_length=255, unique=True)
    phone_models = models.CharField(
        "phone models", max_length=512, help_text="Patterns of model numbers, comma-separated: 79*, 8845."
    )
    steps = models.TextField(help_text="One a line: `Key:Settings`, or `pause 0.5` (seconds).")
    priority = models.PositiveSmallIntegerField(
        default=100, help_text="Of several that fit, the lowest number is used."
    )
    updated_at = models.DateTimeField(auto_now=True)

    history = Tracked()

    class Meta:
        ordering = ["priority", "name"]
        indexes = [
            models.Index(fields=["priority", "name"], name="key_macro_by_priority"),
            TextIndex(fields=["name", "phone_models"], name="key_macro_text"),
        ]

    def __str__(self) -> str:
        return self.name


class FileServer(models.Model):
    """An FTP target. Those without an account are shared: every tenant's phones may use them."""

    class Protocol(models.TextChoices):
        FTP = "ftp", "FTP"
        FTPS = "ftps", "FTPS (explicit TLS)"

    uuid = models.UUIDField("UUID", default=uuid.uuid4, unique=True, editable=False)
    account = models.ForeignKey(
        Account,
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="file_servers",
        help_text="Empty: shared.",
    )
    name = models.CharField(max_length=255)
    protocol = models.CharField(
        max_length=4,
        choices=Protocol,
        default=Protocol.FTP,
        help_text="FTPS hides the password and the files on their way; the server must offer AUTH TLS.",
    )
    host = models.CharField(max_length=255)
    port = models.PositiveIntegerField(default=21, validators=PORT)
    username = models.CharField(max_length=255, blank=True)
    password = EncryptedTextField(blank=True, default="")
    directory = models.CharField(
        max_length=1024, blank=True, help_text="Where the phones' files lie; empty: the login folder."
    )
    passive = models.BooleanField(
        default=True, help_text="Passive mode: the server names the port of the data connection."
    )
    verify_certificate = models.BooleanField(
        default=False, help_text="FTPS: refuse certificates of unknown authorities."
    )
    read_back = models.BooleanField(
        default=False, help_text="Read every uploaded file back and compare it byte for byte."
    )
    keep_backups = models.PositiveSmallIntegerField(
        default=3, help_text="Replaced files kept on the server, per phone."
    )
    takes_shared_files = models.BooleanField(
        "shared files",
        default=False,
        db_default=False,
        help_text="Bring the files here that phones read beside their own, and keep them as they are in the portal.",
    )
    is_default = models.BooleanField(default=False, help_text="For phones of the account that name no file server.")
    is_embedded = models.BooleanField(default=False, editable=False)
    tested_at = models.DateTimeField(null=True, blank=True, editable=False)
    test_result = models.TextField(blank=True, editable=False, help_text="Empty: the last test went well.")
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    history = Tracked(quiet=["tested_at", "test_result"])

    class Meta:
        ordering = ["name", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["account"],
                condition=Q(is_default=True, account__isnull=False),
                name="one_default_file_server_per_account",
            ),
            models.UniqueConstraint(
                fields=["is_default"], condition=Q(is_default=True, account=None), name="one_shared_default_file_server"
            ),
            models.UniqueConstraint(
                fields=["is_embedded"], condition=Q(is_embedded=True), name="one_embedded_file_server"
            ),
        ]
        indexes = [
            models.Index(fields=["name", "id"], name="file_server_by_name"),
            models.Index(fields=["protocol", "name", "id"], name="file_server_by_protocol"),
            models.Index(fields=["is_default", "name", "id"], name="file_server_by_default"),
            TextIndex(fields=["name", "host"], name="file_server_text"),
        ]

    def __str__(self) -> str:
        return self.name
