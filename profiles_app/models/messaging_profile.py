"""How an account's numbers send messages, and where those that come in are reported to."""

from django.core.validators import MaxValueValidator
from django.db import models
from django.db.models import Q

from contacts_app.models.encrypted import EncryptedTextField
from contacts_app.models.history import Tracked
from contacts_app.models.text_index import TextIndex
from profiles_app.models.owned import OwnedRecord
from profiles_app.models.web_url import validate_web_url

MAX_WEIGHT = 9


class MessagingProfile(OwnedRecord):
    """Callbacks, and the rules by which a sender is picked from the pool of the profile's numbers.

    Webhook addresses often carry a key or a password, so they are stored as secrets are.
    """

    name = models.CharField(max_length=255)
    is_default = models.BooleanField(
        "default", default=False, help_text="For the account's numbers that have no profile of their own."
    )
    callback_url = EncryptedTextField(
        "callback URL",
        null=True,
        blank=True,
        validators=[validate_web_url],
        help_text="Inbound messages are posted here. http or https, 10 to 255 characters.",
    )
    callback_url2 = EncryptedTextField(
        "second callback URL",
        null=True,
        blank=True,
        validators=[validate_web_url],
        help_text="Tried once when the first one cannot be reached.",
    )
    number_pool_enable = models.BooleanField(
        "number pool",
        default=False,
        help_text="Let Patchbay choose the sender of a message that names only the profile.",
    )
    long_code_weight = models.PositiveSmallIntegerField(
        default=1,
        validators=[MaxValueValidator(MAX_WEIGHT)],
        help_text="Share of ordinary numbers in the pool, 0 to 9; 0: none.",
    )
    tollfree_weight = models.PositiveSmallIntegerField(
        "toll-free weight",
        default=1,
        validators=[MaxValueValidator(MAX_WEIGHT)],
        help_text="Share of toll-free numbers in the pool, 0 to 9; 0: none.",
    )
    skip_unhealthy_tns = models.BooleanField(
        "skip unhealthy numbers",
        default=False,
        help_text="Leave out numbers with under 25 % of messages delivered, or over 75 % taken for spam.",
    )
    sticky_sender = models.BooleanField(
        default=False, help_text="Keep the same sender for the same recipient."
    )
    # Where the rotation of the pool stands: see services/sender.py.
    long_code_credit = models.SmallIntegerField(default=0, editable=False)
    tollfree_credit = models.SmallIntegerField(default=0, editable=False)
    turn = models.PositiveBigIntegerField(default=0, editable=False)

    history = Tracked(quiet=["long_code_credit", "tollfree_credit", "turn"])

    class Meta:
        ordering = ["created_at", "pk"]
        indexes = [
            models.Index(fields=["account", "created_at", "id"], name="messaging_profile_of_account"),
            models.Index(fields=["created_at", "id"], name="messaging_profile_by_age"),
            models.Index(fields=["number_pool_enable", "created_at", "id"], name="messaging_profile_pool"),
            models.Index(fields=["skip_unhealthy_tns", "created_at", "id"], name="messaging_profile_health"),
            models.Index(fields=["sticky_sender", "created_at", "id"], name="messaging_profile_sticky"),
            models.Index(fields=["is_default", "created_at", "id"], name="messaging_profile_default"),
            models.Index(fields=["name", "id"], name="messaging_profile_by_name"),
            TextIndex(fields=["name"], name="messaging_profile_text"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["account"], condition=Q(is_default=True), name="one_default_messaging_profile"
            ),
            models.CheckConstraint(
                name="messaging_weights_are_digits",
                condition=Q(long_code_weight__lte=MAX_WEIGHT, tollfree_weight__lte=MAX_WEIGHT),
            ),
        ]

    def __str__(self) -> str:
        return self.name
