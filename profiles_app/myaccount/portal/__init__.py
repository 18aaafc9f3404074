"""The self-service portal at /my-account/, where the people of an account do what its MyAccount profile allows.

`pages` has the one declaration of a page, `gate` lets people through to it. Subjects above declare pages of their own
in a `portal.py` (docs/how-to-add-a-portal-page.md).
"""
