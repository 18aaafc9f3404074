"""What Django and its companions are made of here, which no environment variable changes."""

from config.environment import BASE_DIR

INSTALLED_APPS = [
    "unfold.apps.BasicAppConfig",
    "unfold.contrib.filters",
    "unfold.contrib.forms",
    "config.admin_site.PortalAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.humanize",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "axes",
    "django_ace",
    "django_filters",
    "django_structlog",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "rest_framework",
    "simple_history",
    "config",
    "contacts_app",
    "profiles_app",
    "phones_app",
]

MIDDLEWARE = [
    "config.middleware.bare_answers",
    "config.middleware.time_requests",
    "config.proxies.see_through_proxies",
    "config.middleware.name_requests",
    "config.middleware.know_authors",
    "django.middleware.security.SecurityMiddleware",
    "config.pages.short_way",
    "csp.middleware.CSPMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "config.middleware.PortalCookies",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "config.middleware.RequestLog",
    "django.contrib.messages.middleware.MessageMiddleware",
    "config.middleware.PeopleTimeZones",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "axes.middleware.AxesMiddleware",
]

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
APPEND_SLASH = True

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["contacts_app.core.api.authentication.CredentialAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["contacts_app.core.api.dialect.Json"],
    "DEFAULT_PARSER_CLASSES": ["contacts_app.core.api.dialect.BoundedJSONParser"],
    "DEFAULT_SCHEMA_CLASS": "contacts_app.core.api.document.DocumentSchema",
    "EXCEPTION_HANDLER": "contacts_app.core.api.dialect.error_response",
    "UNAUTHENTICATED_USER": None,
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}

# The link of a forgotten password (portal spec §1).
PASSWORD_RESET_TIMEOUT = 3600

# Of the self-service portal. The admin and the APIs speak English, whatever a browser asks for.
LANGUAGES = [("en", "English"), ("de", "Deutsch")]
LOCALE_PATHS = [BASE_DIR / "profiles_app" / "myaccount" / "locale"]

# History is found by record or by deletion, for which contacts_app/core/history/models.py makes indexes of its own.
SIMPLE_HISTORY_DATE_INDEX = False

LANGUAGE_CODE = "en-us"
TIME_ZONE = "UTC"
USE_I18N = True
USE_TZ = True

# Nothing that is uploaded is held in memory, as firmware has 60 MB and more.
FILE_UPLOAD_HANDLERS = ["contacts_app.core.uploads.OnDisk"]
