"""What the roof registers with the ground: the checks of /readyz, for the doctor."""

from collections.abc import Iterator

from django.apps import AppConfig

from contacts_app.core.tables import table


class RoofConfig(AppConfig):
    name = "config"
    verbose_name = "Patchbay"

    def ready(self) -> None:
        # Imported here, because models can be imported only when all apps are loaded.
        from config.health import readiness
        from contacts_app.core.doctor.checks import Defect, HealthCheck, register

        def not_ready() -> Iterator[Defect]:
            for name, state in readiness().items():
                if name.startswith("overdue_"):
                    if state:
                        kind = name.removeprefix("overdue_").replace("_", " ")
                        yield Defect("overdue", f"{state} of the work “{kind}” is overdue.")
                # The doctor has a check of the disk of its own, which tells sooner.
                elif name != "disk" and state not in ("ok", "unknown"):
                    yield Defect(name, f"{name.capitalize()}: {state}.")

        register(HealthCheck("readiness", not_ready, table(__file__, "readiness.toml"), needs_database=False))
