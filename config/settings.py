"""All settings. Every value comes from the environment (or NAME_FILE) and has a default that runs on one machine."""

from datetime import timedelta

from django.urls import reverse_lazy

from config.appearance import HELP, UNFOLD  # noqa: F401 -- read by the admin and its theme
from config.environment import BASE_DIR, data_dir, env, secret
from config.file_server import *  # noqa: F403
from config.framework import *  # noqa: F403
from config.login import *  # noqa: F403
from config.logs import logging_config
from contacts_app.core.tables import table

# --- Where state lives -------------------------------------------------------------------------------------------
DATA_DIR = data_dir()  # Where all state is kept; for the user of the processes alone.
PHONE_FILES_DIR = DATA_DIR / "phones"
SHARED_FILES_DIR = DATA_DIR / "shared-files"

SECRET_KEY = secret("SECRET_KEY")  # Signs sessions and tokens: another one ends them all.
# The first key encrypts, all of them decrypt: put a new key in front, run `manage.py rotate_secrets`, drop the old one.
ENCRYPTION_KEYS = secret("ENCRYPTION_KEYS").split(",")

DEBUG = env.bool("DEBUG", default=False)  # Never where others reach the portal: errors show its insides.
# Names under which the portal is reached, separated by commas.
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])
# Origins of forms where a proxy does not pass the host's name on, as https://patchbay.example.org.
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])

# --- Database, broker, cache, mail -------------------------------------------------------------------------------
# postgres://user:password@host/name, or the embedded SQLite.
DATABASES = {"default": env.db_url("DATABASE_URL", default=f"sqlite:///{DATA_DIR}/patchbay.sqlite3")}
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    # Who writes waits in a line instead of asking again and again.
    DATABASES["default"]["ENGINE"] = "config.sqlite3"
    # IMMEDIATE and WAL: measured without a lock error under four writing processes, which the defaults are not.
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
    }
    # Opening it takes several times as long as most requests.
    DATABASES["default"].setdefault("CONN_MAX_AGE", 60)
    # Threads cannot share a database in memory.
    DATABASES["default"]["TEST"] = {"NAME": str(DATA_DIR / "test.sqlite3")}
else:
    DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
    options = DATABASES["default"].setdefault("OPTIONS", {})
    # Whether PostgreSQL plans the reads of the APIs once per connection; off behind a pooler that shares connections.
    options["prepare_threshold"] = 5 if env.bool("DATABASE_PREPARED", default=True) else None
    # At most so many connections that outlive the threads which use them: those of a web server come and go, and it
    # has 48 (config/wsgi.py). 0: each thread keeps one of its own.
    if pool_size := env.int("DATABASE_POOL_SIZE", default=0):
        from config.database import KeptConnection  # psycopg need not be loaded without it

        limits = {"min_size": 1, "max_size": pool_size, "max_idle": 60}
        options["pool"] = limits | {"connection_class": KeptConnection}
        DATABASES["default"]["CONN_MAX_AGE"] = 0
    else:
        DATABASES["default"].setdefault("CONN_MAX_AGE", 60)
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# redis://host:6379/0, which tells workers of new work; or the embedded broker, a file.
CELERY_BROKER_URL = env.str("CELERY_BROKER_URL", default=f"sqla+sqlite:///{DATA_DIR}/broker.sqlite3")
# A message held by a worker that died comes back after this time; the sweep is usually quicker.
if CELERY_BROKER_URL.startswith(("redis", "rediss")):
    CELERY_BROKER_TRANSPORT_OPTIONS = {"visibility_timeout": 60, "unacked_restore_interval": 1}
elif CELERY_BROKER_URL.startswith("sqla"):
    # Each use opens the file anew: one that is damaged is replaced (contacts_app/core/work/broker.py).
    CELERY_BROKER_TRANSPORT_OPTIONS = {"pool_recycle": 0}
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ALWAYS_EAGER = env.bool("CELERY_TASK_ALWAYS_EAGER", default=False)  # For tests: no broker and no worker.
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_TIMEOUT = 2
CELERY_TASK_PUBLISH_RETRY_POLICY = {"max_retries": 1, "interval_start": 0, "interval_max": 0.2}

# Due rows are looked for this often (seconds); it is also the longest that work waits after a crash, plus the lease.
SWEEP_SECONDS = env.float("SWEEP_SECONDS", default=2.0)

# redis://host:6379/1, which all web processes share; or a cache in each of them.
CACHES = {
    "default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": env.str("CACHE_URL")}
    if env.str("CACHE_URL", default="")
    else {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}
}
# The mail server, as smtp+tls://user:password@mail.example.org:587; or mail is written to the log.
vars().update(env.email_url("EMAIL_URL", default="consolemail://"))
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", default="patchbay@localhost")  # The sender of all mail.
# How long a mail server may take to answer to one command (seconds).
EMAIL_TIMEOUT = env.float("EMAIL_TIMEOUT", default=10.0)
# Failures wait this long for others to share a mail with (seconds), and a contact gets so many mails of a kind an hour.
NOTIFICATION_WINDOW_SECONDS = env.float("NOTIFICATION_WINDOW_SECONDS", default=300.0)
NOTIFICATION_MAILS_PER_HOUR = env.int("NOTIFICATION_MAILS_PER_HOUR", default=12)
# Where people reach the portal, for links in mail.
PUBLIC_URL = env.str("PUBLIC_URL", default="http://localhost:8000").rstrip("/")
# The time zone, as Europe/Berlin, in which people see times who have chosen none, and whose account has none.
DEFAULT_TIME_ZONE = env.str("DEFAULT_TIME_ZONE", default="UTC")

# --- Phones ------------------------------------------------------------------------------------------------------
# Networks that phones, file servers and call managers may be in although they are private (public addresses may always).
# Loopback is one of them while `manage.py simulate_phones` runs, and for uploads to the embedded file server.
PHONE_NETWORKS = env.str("PHONE_NETWORKS", default="")
# Models whose screens have their soft keys where another series has them: `8821=79xx`, several separated by commas.
# The series are 69xx, 78xx, 79xx, 88xx, 8821 and others.
PHONE_SERIES = env.str("PHONE_SERIES", default="")
# How long `switch` waits for the restart before it answers 202 and lets the work go on (seconds).
SWITCH_WAIT_SECONDS = env.float("SWITCH_WAIT_SECONDS", default=15.0)
# How long a deployment looks for evidence that the phone took its file (seconds).
CONFIRM_SECONDS = env.float("CONFIRM_SECONDS", default=120.0)
# How long a restart waits for a call to end, and how often it looks (seconds).
CALL_WAIT_SECONDS = env.float("CALL_WAIT_SECONDS", default=4 * 3600.0)
CALL_POLL_SECONDS = env.float("CALL_POLL_SECONDS", default=10.0)
# Deployments that one worker process carries out side by side.
DEPLOYMENT_THREADS = env.int("DEPLOYMENT_THREADS", default=8)
# A worker renews its claim on a deployment while it lives; this long after its death another one takes over (seconds).
LEASE_SECONDS = env.float("LEASE_SECONDS", default=10.0)
# How often a phone's status page is looked at (seconds, 0: never), and how many at the same time.
STATUS_CHECK_SECONDS = env.float("STATUS_CHECK_SECONDS", default=env.float("PHONE_LOOK_SECONDS", default=900.0))
STATUS_CHECK_THREADS = env.int("STATUS_CHECK_THREADS", default=env.int("PHONE_LOOK_THREADS", default=8))
# How often each phone's file is read back from its file server (seconds, 0: never).
DRIFT_CHECK_SECONDS = env.float("DRIFT_CHECK_SECONDS", default=24 * 3600.0)
# How long an upload may take, and how long one is tried again while the file server cannot be reached (seconds).
FTP_UPLOAD_SECONDS = env.float("FTP_UPLOAD_SECONDS", default=45.0)
UPLOAD_RETRY_SECONDS = env.float("UPLOAD_RETRY_SECONDS", default=60.0)

# Networks in which unknown phones may enrol, as 10.1.0.0/16=1000001, 10.2.0.0/16: with the number of the account whose
# phones they become, or without one where there is only one account. Empty: no phone may.
ENROLMENT_NETWORKS = env.str("ENROLMENT_NETWORKS", default="")
# So many phones may ask to be enrolled in an hour, and whether staff approve each of them.
ENROLMENT_PER_HOUR = env.int("ENROLMENT_PER_HOUR", default=60)
ENROLMENT_APPROVAL = env.bool("ENROLMENT_APPROVAL", default=False)
# Where phones reach the portal, for the URLs in files that it writes itself; many models speak plain HTTP only.
PHONE_SERVICES_URL = env.str("PHONE_SERVICES_URL", default=PUBLIC_URL).rstrip("/")

# --- Messaging and outbound voice profiles (messaging spec §3, §4) ------------------------------------------------
# The URLs that the provider's document prints without the UUID take it from the query or the body.
MESSAGING_UUID_ANYWHERE = env.bool("MESSAGING_UUID_ANYWHERE", default=True)
# Answers carry the weight under both of its spellings.
MESSAGING_BOTH_SPELLINGS = env.bool("MESSAGING_BOTH_SPELLINGS", default=True)
# The provider declares 200 and 201 for what was made.
MESSAGING_CREATED_STATUS = env.int("MESSAGING_CREATED_STATUS", default=200)
# Numbers of a deleted profile move to the account's default one; otherwise a profile in use is not deleted.
MESSAGING_DELETE_MOVES_NUMBERS = env.bool("MESSAGING_DELETE_MOVES_NUMBERS", default=True)
# How long the webhook of an inbound message may take before the second one is tried (seconds).
MESSAGING_WEBHOOK_SECONDS = env.float("MESSAGING_WEBHOOK_SECONDS", default=10.0)
# Accounts lease free numbers of the stock by themselves (POST /rest/lease/tn); otherwise they order them.
NUMBER_SELF_SERVICE = env.bool("NUMBER_SELF_SERVICE", default=True)
# An admitted call that its PBX does not renew for so long gives its channel back (seconds).
VOICE_LEASE_SECONDS = env.float("VOICE_LEASE_SECONDS", default=300.0)
# So many sets of messages a worker hands to gateways at a time.
MESSAGING_THREADS = env.int("MESSAGING_THREADS", default=4)
# Networks that message gateways may be in although they are private, and how long a gateway may take (seconds).
GATEWAY_NETWORKS, GATEWAY_SECONDS = env.str("GATEWAY_NETWORKS", default=""), env.float("GATEWAY_SECONDS", default=10.0)

# --- Callbacks of event profiles ----------------------------------------------------------------------------------
# Networks that callbacks may be in although they are private; public addresses may always. None by default, because
# anyone who may create a callback could otherwise speak to the servers around this one.
CALLBACK_NETWORKS = env.str("CALLBACK_NETWORKS", default="")
# Whether /demo/receiver takes what callbacks of the demo deliver; `serve` sets it where it runs the demo, and allows its
# address in CALLBACK_NETWORKS.
DEMO_RECEIVER = env.bool("DEMO_RECEIVER", default=False)
# How long a callback may take to answer when it has no time-out of its own (seconds).
CALLBACK_SECONDS = env.float("CALLBACK_SECONDS", default=10.0)
# When a delivery is attempted, in seconds after the first attempt; then the fallbacks have their turn (events spec §7.1).
CALLBACK_ATTEMPT_SECONDS = env.list("CALLBACK_ATTEMPT_SECONDS", cast=float, default=[0.0, 30.0, 120.0, 600.0])
# A callback is switched off after so many deliveries in a row whose attempts were used up, or so long without success.
CALLBACK_EXHAUSTED_LIMIT = env.int("CALLBACK_EXHAUSTED_LIMIT", default=50)
CALLBACK_FAILING_SECONDS = env.float("CALLBACK_FAILING_SECONDS", default=86_400.0)
# After so many requests in a row without an answer nothing is sent to a callback for so long.
CALLBACK_SILENT_LIMIT = env.int("CALLBACK_SILENT_LIMIT", default=3)
CALLBACK_REST_SECONDS = env.float("CALLBACK_REST_SECONDS", default=30.0)
# So many callbacks a worker delivers to at a time, one request each.
CALLBACK_THREADS = env.int("CALLBACK_THREADS", default=env.int("CALLBACK_LANES", default=8))
# The guide prints the URLs that create profiles and listeners with an id at their end; clients written from it send one.
EVENTS_ID_ON_CREATE = env.bool("EVENTS_ID_ON_CREATE", default=True)
# Whether the provider's own limits on the number of requests hold here too (429).
EVENTS_RATE_LIMITS = env.bool("EVENTS_RATE_LIMITS", default=False)

# --- MyAccount profiles ------------------------------------------------------------------------------------------
# What a profile can grant; every installation has lists of its own (MyAccount spec §4).
MYACCOUNT_PRESETS_FILE = env.str(
    "MYACCOUNT_PRESETS_FILE", default=str(BASE_DIR / "profiles_app" / "myaccount" / "presets.toml")
)

# Which of these flags open which page of the self-service portal, in the form of profiles_app/myaccount/portal.toml
# (portal spec §2).
MYACCOUNT_PORTAL_FILE = env.str(
    "MYACCOUNT_PORTAL_FILE", default=str(BASE_DIR / "profiles_app" / "myaccount" / "portal.toml")
)
# The operator's name in the self-service portal, and its colour as #RRGGBB, which is made darker or lighter where text in
# it could not be read.
PORTAL_NAME = env.str("PORTAL_NAME", default="Patchbay")
PORTAL_COLOUR = env.str("PORTAL_COLOUR", default="#1d5fa8")
# A file with the operator's logo (SVG, PNG, JPEG or WebP), shown beside the name. Empty: none.
PORTAL_LOGO = env.str("PORTAL_LOGO", default="")
# Systems of the operator's own that the portal's menu leads to, each shown to those whose profile has the flag:
# {"View Bills": {"label": "Bills", "url": "https://billing.example.org/"}}.
PORTAL_LINKS = env.json("PORTAL_LINKS", default={})

# --- People and their credentials --------------------------------------------------------------------------------
AUTH_USER_MODEL = "contacts_app.User"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = reverse_lazy("admin:login")
LOGIN_REDIRECT_URL = reverse_lazy("admin:index")
# How long the tokens of a log-in over REST are good for (seconds).
ACCESS_TOKEN_SECONDS = env.int("ACCESS_TOKEN_SECONDS", default=24 * 3600)
REFRESH_TOKEN_SECONDS = env.int("REFRESH_TOKEN_SECONDS", default=14 * 24 * 3600)
# Whether people may make themselves a user, without an account and at the lowest level (POST /api/v1/auth/register).
PUBLIC_REGISTER = env.bool("PUBLIC_REGISTER", default=False)
# So many digits the PIN of a person for phones has at least, of 16 at most.
PIN_MIN_DIGITS = env.int("PIN_MIN_DIGITS", default=4)
# Whether people below level 0 make, change and delete phone profiles of their own over REST; reading and switching their
# own they may in any case.
OWN_PHONE_PROFILES = env.bool("OWN_PHONE_PROFILES", default=True)
# So many wrong passwords lock a name at an address for 15 minutes.
AXES_FAILURE_LIMIT = env.int("LOGIN_FAILURE_LIMIT", default=10)
AXES_COOLOFF_TIME = timedelta(minutes=15)
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_VERBOSE = False
# What our logins call it; the default, the model's USERNAME_FIELD, would count all failures under no name at all.
AXES_USERNAME_FORM_FIELD = "username"
AXES_CLIENT_IP_CALLABLE = "config.proxies.address_of"
AXES_USERNAME_CALLABLE = "contacts_app.people.login.counted_name"
AXES_LOCKOUT_CALLABLE = "config.errors.locked_out"
CSRF_FAILURE_VIEW = "config.errors.not_from_here"
AXES_ENABLE_ADMIN = False

# --- REST --------------------------------------------------------------------------------------------------------
# So many requests a minute may come with one credential, over all dialects (0: any number); the rest is answered by 429.
# Each web process counts for itself unless CACHE_URL is set.
API_REQUESTS_PER_MINUTE = env.int("API_REQUESTS_PER_MINUTE", default=0)
API_BODY_MAX_BYTES = env.int("API_BODY_MAX_BYTES", default=2 * 1024 * 1024)  # The largest body of a JSON request.
SPECTACULAR_SETTINGS = table(__file__, "openapi.toml")

# --- Calls -------------------------------------------------------------------------------------------------------
# The country (ISO 3166, such as DE) whose national numbers become E.164 in call records. Empty: only those with + or 00.
PHONE_NUMBERS_REGION = env.str("PHONE_NUMBERS_REGION", default="")

# --- How long it is kept (days, 0: for ever), where `manage.py prune_history` runs ----------------------------------
# Events with their deliveries and attempts, once nothing of them is to be delivered any more.
KEEP_EVENTS_DAYS = env.float("KEEP_EVENTS_DAYS", default=90.0)
# Admissions of outbound calls, those refused included, once the calls have ended; and what was spent on each day.
KEEP_ADMISSIONS_DAYS = env.float("KEEP_ADMISSIONS_DAYS", default=90.0)
# Messages in their final state with their attempts, those that came in, and webhooks that no profile names, once none of
# their deliveries is kept (KEEP_EVENTS_DAYS).
KEEP_MESSAGES_DAYS = env.float("KEEP_MESSAGES_DAYS", default=90.0)
# Mails that were sent or have failed.
KEEP_MAILS_DAYS = env.float("KEEP_MAILS_DAYS", default=90.0)
# Deployments with their steps, and rollouts that are over. The last deployment of each phone stays.
KEEP_DEPLOYMENTS_DAYS = env.float("KEEP_DEPLOYMENTS_DAYS", default=365.0)
# What phones fetched from the embedded file server, and asked it for; fetches never less than 31 days.
KEEP_FETCHES_DAYS = env.float("KEEP_FETCHES_DAYS", default=90.0)
# Call records, from the start of the call on.
KEEP_CALLS_DAYS = env.float("KEEP_CALLS_DAYS", default=365.0)
# What records were before, and who changed them; deleted records for good.
KEEP_HISTORY_DAYS = env.float("KEEP_HISTORY_DAYS", default=0.0)

# --- Web ---------------------------------------------------------------------------------------------------------
STATIC_URL = "static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATIC_ROOT = DATA_DIR / "static"
WHITENOISE_USE_FINDERS = True
SECURE_CONTENT_TYPE_NOSNIFF = True
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = table(__file__, "content_security_policy.toml")
# Cookies over TLS alone, plain requests are redirected; a proxy in front speaks TLS.
HTTPS = env.bool("HTTPS", default=False)
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_SSL_REDIRECT = HTTPS
# Phones of many models speak no TLS that would be accepted today.
SECURE_REDIRECT_EXEMPT = [r"^cisco/services/", r"^emapp/"]
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = HTTPS
# Networks of the proxies in front of the portal: of these alone X-Forwarded-For and X-Forwarded-Proto are believed.
TRUSTED_PROXIES = env.str("TRUSTED_PROXIES", default="")
# Of before TRUSTED_PROXIES: believe anybody's X-Forwarded-Proto.
TRUST_PROXY = env.bool("TRUST_PROXY", default=False)
if TRUSTED_PROXIES or TRUST_PROXY:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
# The check of CSRF knows the middleware by its name only; ours is in config/pages.py.
SILENCED_SYSTEM_CHECKS = ["axes.W003", "security.W003"]

# What Prometheus has to show at /metrics, as a bearer token; without one only this machine is answered.
METRICS_TOKEN = env.str("METRICS_TOKEN", default="")

# Whether each line of every process is a JSON object.
LOG_JSON = env.bool("LOG_JSON", default=False)
# From which level on is logged: INFO, WARNING, ERROR.
LOGGING = logging_config(json=LOG_JSON, level=env.str("LOG_LEVEL", default="INFO"))
