"""A CSV file between its upload and the word that it may be stored; any web process can go on with it."""

import uuid

from django.conf import settings
from django.db import models

from contacts_app.core.secrets import EncryptedBinaryField


class UploadedCsv(models.Model):
    """Encrypted, because passwords may stand in it. Gone once it is imported, replaced or a day old."""

    uuid = models.UUIDField("UUID", default=uuid.uuid4, unique=True, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    kind = models.CharField(max_length=32)
    name = models.CharField(max_length=255)
    content = EncryptedBinaryField()
    created_at = models.DateTimeField(auto_now_add=True, db_index=True)

    def __str__(self) -> str:
        return self.name
