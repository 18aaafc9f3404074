"""How moments and durations look, in lists and in templates."""

from datetime import datetime

from django import template
from django.template.defaultfilters import date as format_date
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timesince import timesince

register = template.Library()


@register.filter
def ago(moment: datetime | None) -> SafeString | str:
    """`5 minutes ago`, with the exact time on hovering."""
    if moment is None:
        return ""
    passed = timesince(moment, depth=1) if moment < timezone.now() else "0 minutes"
    text = "just now" if passed.startswith("0") else f"{passed} ago"
    return format_html(
        '<time class="pb-ago" datetime="{}" title="{}">{}</time>', moment.isoformat(), exact(moment), text
    )


@register.filter
def exact(moment: datetime | None) -> str:
    return format_date(timezone.localtime(moment), "Y-m-d H:i:s T") if moment else ""


@register.filter
def duration(seconds: float) -> str:
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s"
