"""The checker's word on a file that is being typed in the admin, which stores nothing."""

import pytest
from django.urls import reverse

from profiles_app.phone.models import PhoneProfile
from tests.admin_people import at_desk, clerk
from tests.phones_app.site import sip_file

pytestmark = pytest.mark.django_db
CHECK = reverse("admin:profiles_app_phoneprofile_check")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (sip_file(), "authenticationURL is empty"),
        (sip_file().replace("</device>", "<broken>\r\n</device>"), "Line 17, column 3"),
        ("<device><fullConfig>", "Line 1"),
        ("", "No findings."),
        ('<?xml version="1.0" encoding="US-ASCII"?><device>\u00e4</device>', "pb-error"),
    ],
)
def test_each_finding_leads_to_its_place_and_nothing_is_stored(root_desk, text, told):
    page = root_desk.post(CHECK, {"cnf_xml": text, "software_type": "SIP", "source": "file"}).content.decode()
    assert told in page
    assert 'id="editor-marks"' in page
    assert not PhoneProfile.objects.exists()


def test_a_file_that_is_made_from_data_is_not_judged_by_what_the_editor_had(root_desk):
    page = root_desk.post(CHECK, {"cnf_xml": "<device>", "source": "template"}).content.decode()
    assert "No findings." in page


def test_only_who_may_see_profiles_is_answered_and_only_to_a_post(acme, root_desk):
    blind = at_desk(clerk(acme, without="view_phoneprofile"))
    assert blind.post(CHECK, {"cnf_xml": "<device/>"}).status_code == 403
    assert root_desk.get(CHECK).status_code == 405
    assert root_desk.post(CHECK, {"cnf_xml": "<device/>", "software_type": "H323"}).status_code == 422
