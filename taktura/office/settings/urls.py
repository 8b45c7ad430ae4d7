"""Addresses of the settings."""

from django.urls import path

from taktura.office.settings import company, index, jobs, keys, log, mail, numbering, outbox, texts, users

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
    path("mail/", mail.mail, name="mail"),
    path("mail/<slug:which>/", mail.change, name="mail_change"),
    path("mail/<slug:which>/test/", mail.test, name="mail_test"),
    path("mail/<slug:which>/remove/", mail.remove, name="mail_remove"),
    path("texts/", texts.texts, name="mail_texts"),
    path("outbox/", outbox.outbox, name="outbox"),
    path("outbox/<int:pk>/", outbox.mail, name="outbox_mail"),
    path("outbox/<int:pk>/html/", outbox.html, name="outbox_html"),
    path("outbox/<int:pk>/again/", outbox.again, name="outbox_again"),
    path("outbox/<int:pk>/files/<int:number>/", outbox.attachment, name="outbox_attachment"),
    path("jobs/", jobs.jobs, name="jobs"),
    path("jobs/<int:pk>/", jobs.job, name="job"),
    path("jobs/<int:pk>/retry/", jobs.retry, name="job_retry"),
    path("jobs/<int:pk>/cancel/", jobs.cancel, name="job_cancel"),
    path("work/<int:pk>/stop/", jobs.stop_work, name="work_stop"),
    path("log/", log.log, name="log"),
    path("log/<int:pk>/", log.entry, name="log_entry"),
    path("log/prove/", log.prove, name="log_prove"),
]
