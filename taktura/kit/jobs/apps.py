"""Background work as a Django app: its label is `jobs`."""

from django.apps import AppConfig


class JobsConfig(AppConfig):
    """`taktura.kit.jobs`, whose tables begin with `jobs_`."""

    name = "taktura.kit.jobs"
    label = "jobs"
