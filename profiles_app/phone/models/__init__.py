"""What is stored of phone profiles and of what their files are made from, a file for each idea."""

from profiles_app.phone.models.key_layout import KeyLayout
from profiles_app.phone.models.line import Line
from profiles_app.phone.models.profile import (
    MacAddressField,
    PhoneProfile,
    ProfileRevision,
    SoftwareType,
    Source,
    is_made,
)
from profiles_app.phone.models.template import PhoneTemplate

__all__ = [
    "KeyLayout",
    "Line",
    "MacAddressField",
    "PhoneProfile",
    "PhoneTemplate",
    "ProfileRevision",
    "SoftwareType",
    "Source",
    "is_made",
]
