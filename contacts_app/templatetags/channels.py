"""Through which channel something came, as templates name it."""

from django import template

from contacts_app.core.history.authorship import channel_label

register = template.Library()
register.filter("channel_label", channel_label)
