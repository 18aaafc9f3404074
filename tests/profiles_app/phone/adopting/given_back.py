"""What the templates of a plan give, from the layers and lines that it has found."""

from collections.abc import Sequence

from profiles_app.phone.adopting import Plan, SepFile
from profiles_app.phone.rendering.render import render


def given_back(planned: Plan, files: Sequence[SepFile]) -> dict[str, bytes]:
    """Every file as its template gives it, by MAC address."""
    of_mac = {file.mac: file for file in files}
    return {
        mac: render(
            template.text,
            device=of_mac[mac].as_device,
            layers=planned.layers_of(of_mac[mac]),
            lines=[planned.lines[extension] for extension in planned.phone_lines[mac]],
        ).content
        for template in planned.templates
        for mac in template.macs
    }
