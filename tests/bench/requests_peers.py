"""What `requests` is compared with: the same rows over bare WSGI, and over DRF as its tutorial has it.

Bare: one prepared statement per answer, the columns that the dialect shows, decrypted where ours are encrypted, and
orjson. It knows no credential and no total.
"""

import json
import os
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from tests.bench import requests_writes

FACTS = json.loads(os.environ.get("BENCH_FACTS", "{}"))
PHONE = """SELECT p.mac, p.uuid, a.voip_id AS account, p.brand, p.model, p.name, p.description, p.hostname, p.location,
 host(p.phone_ip) AS phone_ip, p.phone_vlan, p.software_version, p.software_type, p.is_active, p.line_user, p.sip_port,
 p.web_port, p.web_username, f.uuid AS file_server, c.uuid AS call_manager, r.uuid AS current_profile,
 d.uuid AS last_uuid, d.state, d.kind, d.profile_name, d.error, d.created_at AS d_created, d.finished_at, p.is_simulated,
 p.last_seen_at, p.presence, p.presence_since, p.in_call, p.mac_there, p.serial_number, p.looked_at, p.look_error,
 p.created_at, p.updated_at
 FROM phones_app_phone p JOIN contacts_app_account a ON a.id = p.account_id
 LEFT JOIN phones_app_fileserver f ON f.id = p.file_server_id
 LEFT JOIN phones_app_callmanager c ON c.id = p.call_manager_id
 LEFT JOIN profiles_app_phoneprofile r ON r.id = p.current_profile_id
 LEFT JOIN phones_app_lastdeployment l ON l.phone_id = p.id LEFT JOIN phones_app_deployment d ON d.id = l.deployment_id
 WHERE p.account_id = %(account)s"""
OWNED = """SELECT o.*, a.uuid AS a_uuid, a.name AS a_name, a.email AS a_email, a.level, a.balance::float,
 a.created_at AS a_created, a.updated_at AS a_updated, u.email AS u_email, m.email AS m_email{more}
 FROM {table} o JOIN contacts_app_account a ON a.id = o.account_id
 LEFT JOIN contacts_app_user u ON u.id = o.created_by_id LEFT JOIN contacts_app_user m ON m.id = o.modified_by_id{joins}
 WHERE o.account_id = %(account)s ORDER BY o.created_at, o.id"""
LIST = " WHERE o.account_id = %(account)s ORDER BY o.id DESC LIMIT 25"
EVENTS = f"/v4/accounts/{FACTS.get('voip_id')}/integrations/events"
NUMBERS = " JOIN profiles_app_messagingprofile p ON p.id = o.messaging_profile_id"
PROFILE = ", p.uuid AS p_uuid, p.name AS p_name, p.callback_url, p.callback_url2, p.long_code_weight, p.sticky_sender"
LEASES = ", (SELECT json_agg(json_build_object('uuid', n.uuid, 'tn', n.tn)) FROM profiles_app_numberlease n"
STATEMENTS = {
    "/api/v1/phones": f"{PHONE} AND p.id IN (SELECT id FROM phones_app_phone WHERE account_id = %(account)s"
    " ORDER BY mac LIMIT 25 OFFSET %(offset)s) ORDER BY p.mac",
    f"/api/v1/phones/{FACTS.get('mac')}": f"{PHONE} AND p.mac = %(mac)s",
    "/api/2.0/notification_contacts/": "SELECT o.uuid, o.name, o.email, o.phone, o.main FROM"
    " contacts_app_notificationcontact o WHERE o.account_id = %(account)s ORDER BY o.main DESC, o.id LIMIT 25",
    "/rest/lease/tn": OWNED.format(table="profiles_app_numberlease", joins=NUMBERS, more=PROFILE),
    "/rest/profile/messaging": OWNED.format(
        table="profiles_app_messagingprofile", joins="", more=f"{LEASES} WHERE n.messaging_profile_id = o.id) AS leases"
    ),
    "/rest/profile/outbound_voice": OWNED.format(table="profiles_app_outboundvoiceprofile", joins="", more=""),
    f"{EVENTS}/callbacks": "SELECT o.id, o.fallback_callback_id, o.name, o.profile_id, o.enabled, o.mode,"
    f" o.stored_config FROM profiles_app_callback o{LIST}",
    f"{EVENTS}/listeners": f"SELECT o.* FROM profiles_app_listener o{LIST}",
    "/backend/api/v1/myAccountCustomerProfiles/": f"SELECT o.* FROM profiles_app_myaccountprofile o{LIST}",
    "/api/v1/deployments": f"SELECT o.*, a.voip_id FROM phones_app_deployment o"
    f" JOIN contacts_app_account a ON a.id = o.account_id{LIST}",
    "/cisco/services/dir": "SELECT p.mac, p.model, s.address, s.last_used_at FROM phones_app_phone p"
    " LEFT JOIN phones_app_servicesession s ON s.mac = p.mac WHERE p.mac = %(mac)s",
    "/cisco/services/cdir": "SELECT e.name, e.number FROM contacts_app_extension e"
    " WHERE e.account_id = (SELECT account_id FROM phones_app_phone WHERE mac = %(mac)s) ORDER BY e.name, e.number",
    "/cisco/services/authenticate": "SELECT p.web_username, p.web_password FROM phones_app_phone p"
    " JOIN contacts_app_account a ON a.id = p.account_id WHERE p.mac = %(mac)s AND a.is_active",
}
SECRET = ("callback_url", "callback_url2", "stored_config", "web_password")
Answer = tuple[str, bytes]
_local = threading.local()


def bare(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    if environ["REQUEST_METHOD"] != "GET":
        return requests_writes.bare(environ, start_response)
    path, query = environ["PATH_INFO"], environ["QUERY_STRING"]
    rows = _rows(STATEMENTS[path], {**FACTS, "offset": 90_000 if "offset" in query else 0})
    kind, body = _shown(path, rows)
    start_response("200 OK", [("Content-Type", kind), ("Content-Length", str(len(body)))])
    return [body]


def _rows(statement: str, values: dict[str, Any]) -> list[dict[str, Any]]:
    import psycopg
    from cryptography.fernet import Fernet
    from psycopg.rows import dict_row

    if not hasattr(_local, "connection"):
        _local.connection = psycopg.connect(os.environ["DATABASE_URL"], autocommit=True, row_factory=dict_row)
        _local.cipher = Fernet(Path(os.environ["DATA_DIR"], "encryption_keys").read_text().split(",")[0])
    found: list[dict[str, Any]] = _local.connection.execute(statement, values, prepare=True).fetchall()
    for row in found:
        for name in SECRET:
            if row.get(name):
                row[name] = _local.cipher.decrypt(row[name].encode()).decode()
    return found


def _shown(path: str, rows: list[dict[str, Any]]) -> Answer:
    import orjson
    from lxml import etree

    if path.endswith("authenticate"):
        return "text/plain", b"AUTHORIZED" if rows[0]["web_password"] == "s3cret" else b"UNAUTHORIZED"
    if path.startswith("/cisco/"):
        root = etree.Element("CiscoIPPhoneDirectory")
        for row in rows[:32]:
            entry = etree.SubElement(root, "DirectoryEntry")
            for name, value in row.items():
                etree.SubElement(entry, name).text = str(value)
        return "text/xml", etree.tostring(root, encoding="UTF-8", xml_declaration=True)
    return "application/json", orjson.dumps({"data": rows}, default=str)


class Plain:
    """Django with hardly any middleware, and DRF's own viewset, serializer and pages. Made when it is first asked."""

    application: Any = None

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        if self.application is None:
            Plain.application = _plain()
        answer: Iterable[bytes] = self.application(environ, start_response)
        return answer


_making = threading.Lock()


def _plain() -> Any:
    with _making:
        os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
        import django
        from django.conf import settings
        from django.core.handlers.wsgi import WSGIHandler

        django.setup()
        settings.MIDDLEWARE = ["django.middleware.common.CommonMiddleware"]  # says how long an answer is
        settings.ROOT_URLCONF = "tests.bench.requests_plain"
        return WSGIHandler()


plain = Plain()
