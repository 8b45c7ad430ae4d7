"""Addresses of worked time."""

from django.urls import path

from taktura.office.time import approval, entry, listing, settings, timer

urlpatterns = [
    path("", listing.times, name="time"),
    path("new/", entry.new, name="time_new"),
    path("<int:pk>/", entry.change, name="time_change"),
    path("<int:pk>/open/", entry.open_again, name="time_open"),
    path("<int:pk>/remove/", entry.remove, name="time_remove"),
    path("timer/", timer.timer, name="timer"),
    path("timer/start/", timer.start, name="timer_start"),
    path("timer/pause/", timer.pause, name="timer_pause"),
    path("timer/drop/", timer.drop, name="timer_drop"),
    path("approval/", approval.waiting, name="time_approval"),
    path("approval/preview/", approval.preview, name="time_preview"),
    path("settings/", settings.settings, name="time_settings"),
    path("settings/own/", settings.own, name="time_own_approval"),
    path("settings/new/", settings.new, name="activity_new"),
    path("settings/<int:activity>/", settings.change, name="activity_change"),
]
