"""NetBox as a peer of `requests`: the list of devices and one device, with as many devices as there are phones.

BENCH_NETBOX names the folder of a checkout that has NetBox's `manage.py`, BENCH_NETBOX_PYTHON the Python of an
environment with its requirements and gunicorn. It gets a database of its own and a Redis, asks for no credential (which
makes it quicker), and is served by two processes, as ours is.
"""

import os
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import psycopg

from tests.bench.web import serving
from tests.servers import free_port, redis

FOLDER, PYTHON = "BENCH_NETBOX", "BENCH_NETBOX_PYTHON"
# By what is asked of ours: the same of NetBox. Its keys begin with 1.
PATHS = {
    "25 of 100,000 phones": "/api/dcim/devices/?limit=25",
    "the same, from 90,000 on": "/api/dcim/devices/?limit=25&offset=90000",
    "one phone": "/api/dcim/devices/51/",
}
DATABASE = "netbox"
CONFIGURATION = """
ALLOWED_HOSTS = ["*"]
DATABASES = {{"default": {{"NAME": {name!r}, "USER": {user!r}, "HOST": {host!r}, "PORT": {port!r}, "CONN_MAX_AGE": 300}}}}
DATABASE = DATABASES["default"]
REDIS = {{name: {{"HOST": {redis_host!r}, "PORT": {redis_port!r}, "DATABASE": number, "SSL": False}}
          for number, name in enumerate(("tasks", "caching"))}}
SECRET_KEY = "only for a measurement, on this machine alone: " + 20 * "x"
LOGIN_REQUIRED = False
EXEMPT_VIEW_PERMISSIONS = ["*"]
"""
FILL = """
from dcim.models import Device, DeviceRole, DeviceType, Manufacturer, Site
site = Site.objects.create(name="Campus", slug="campus")
role = DeviceRole.objects.create(name="Phone", slug="phone")
maker = Manufacturer.objects.create(name="Cisco", slug="cisco")
kind = DeviceType.objects.create(manufacturer=maker, model="8845", slug="8845")
for start in range(0, {devices}, 5000):
    Device.objects.bulk_create([
        Device(name=f"SEP{{number:012X}}", serial=f"FCH{{number}}", description=f"Desk {{number}}, third floor",
               site=site, role=role, device_type=kind) for number in range(start, start + 5000)])
"""


class NotMeasured(Exception):
    """Says why."""


@contextmanager
def netbox(database: str, devices: int, folder: Path) -> Iterator[tuple[int, int]]:
    """Its port and the group of its processes; `database` is the URL of a PostgreSQL. Raises NotMeasured."""
    place, python = os.environ.get(FOLDER), os.environ.get(PYTHON)
    if not place or not python:
        raise NotMeasured(f"{FOLDER} and {PYTHON} name no checkout and its Python")
    server = urlsplit(database)
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)")
        connection.execute(f"CREATE DATABASE {DATABASE}")
    # That of the tests is none that another program could use.
    os.environ.pop("CELERY_BROKER_URL", None)
    with redis() as url:
        at = urlsplit(url)
        (folder / "bench_configuration.py").write_text(
            CONFIGURATION.format(
                name=DATABASE, user=server.username, host=server.hostname, port=str(server.port),
                redis_host=at.hostname, redis_port=at.port,
            )
        )  # fmt: skip
        environment = os.environ | {
            "NETBOX_CONFIGURATION": "bench_configuration",
            "DJANGO_SETTINGS_MODULE": "netbox.settings",
            "PYTHONPATH": f"{folder}:{place}",
        }
        fill = ("manage.py", "shell", "-c", FILL.format(devices=devices))
        for command in (("-c", "import gunicorn"), ("manage.py", "migrate", "-v0"), fill):
            _run((python, *command), place, environment)
        with psycopg.connect(server._replace(path=f"/{DATABASE}").geturl(), autocommit=True) as connection:
            connection.execute("VACUUM ANALYZE")
        port = free_port()
        served = (python, "-m", "gunicorn", "--workers", "2", "--threads", "24", "--bind", f"127.0.0.1:{port}")
        with serving((*served, "netbox.wsgi"), port, environment, cwd=Path(place)) as group:
            yield port, group


def _run(command: Sequence[str], place: str, environment: dict[str, str]) -> None:
    """Raises NotMeasured with the last line of what it says if it fails."""
    try:
        subprocess.run(command, cwd=place, env=environment, check=True, capture_output=True, text=True)
    except OSError as error:
        raise NotMeasured(f"{FOLDER}, {PYTHON}: {error.strerror}") from error
    except subprocess.CalledProcessError as error:
        said = error.stderr.strip().splitlines() or ["?"]
        raise NotMeasured(f"NetBox, {' '.join(command[1:3])}: {said[-1]}") from error
