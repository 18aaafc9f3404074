"""The web admin's pages about accounts, people, credentials and contacts."""

import contacts_app.accounts.admin
import contacts_app.contacts.admin
import contacts_app.people.admin
import contacts_app.tokens.admin
from contacts_app.core.admin import asked_work, help, search, work

search.register(help.chapters_found)
work.register(asked_work.asked_by_person)
