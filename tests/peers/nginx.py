"""nginx with the configuration of docs/deploy, on loopback: free ports, a certificate of its own, other web servers."""

import re
import shutil
from pathlib import Path

from tests.peers.tls import write_certificate

PROXY = Path(__file__).resolve().parents[2] / "docs" / "deploy" / "proxy"
NGINX = shutil.which("nginx")


def write_configuration(folder: Path, *, web: list[int], tls: int, plain: int) -> Path:
    """For web servers at these ports, two as in the original."""
    certificate = folder / "certificate.pem"
    write_certificate(certificate)
    shutil.copy(PROXY / "patchbay_headers.conf", folder)
    text = (PROXY / "nginx.conf").read_text()
    for theirs, ours in {
        "10.20.0.11:8000": f"127.0.0.1:{web[0]}",
        "10.20.0.12:8000": f"127.0.0.1:{web[1]}",
        "listen 80;": f"listen 127.0.0.1:{plain};",
        "listen 443 ssl;": f"listen 127.0.0.1:{tls} ssl;",
        "/etc/nginx/patchbay_headers.conf": str(folder / "patchbay_headers.conf"),
        "/etc/ssl/patchbay.example.org.pem": str(certificate),
        "/etc/ssl/private/patchbay.example.org.key": str(certificate),
    }.items():
        assert theirs in text, theirs
        text = text.replace(theirs, ours)
    text = re.sub(r"^ *listen \[::\].*\n", "", text, flags=re.MULTILINE)
    kept = "".join(
        f"{kind}_temp_path {folder}/{kind};\n" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    whole = folder / "nginx.conf"
    whole.write_text(f"user root;\npid {folder}/pid;\nevents {{}}\nhttp {{\naccess_log off;\n{kept}{text}\n}}\n")
    return whole


def command(configuration: Path) -> list[str]:
    assert NGINX is not None
    return [NGINX, "-e", "stderr", "-c", str(configuration), "-g", "daemon off;"]
