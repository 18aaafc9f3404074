"""The line on a phone's page that says which firmware it is being brought to."""
