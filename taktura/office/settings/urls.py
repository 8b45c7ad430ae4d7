"""Addresses of the settings."""

from django.urls import path

from taktura.office.settings import company, index, keys, numbering, users

urlpatterns = [
    path("", index.settings_index, name="settings"),
    path("company/", company.company, name="company"),
    path("company/<slug:section>/", company.change, name="company_change"),
    path("company/<slug:section>/consequence/", company.consequence, name="company_consequence"),
    path("numbering/", numbering.numbering, name="numbering"),
    path("numbering/<slug:kind>/", numbering.confirm, name="numbering_confirm"),
    path("numbering/<slug:kind>/consequence/", numbering.consequence, name="numbering_consequence"),
    path("users/", users.users, name="users"),
    path("users/invite/", users.invite, name="user_invite"),
    path("users/<int:pk>/", users.user, name="user"),
    path("users/<int:pk>/reset/", users.reset, name="user_reset"),
    path("invitations/<int:pk>/withdraw/", users.withdraw, name="invitation_withdraw"),
    path("keys/", keys.keys, name="keys"),
    path("keys/new/", keys.new, name="key_new"),
    path("keys/<int:pk>/", keys.key, name="key"),
    path("keys/<int:pk>/revoke/", keys.revoke, name="key_revoke"),
]
