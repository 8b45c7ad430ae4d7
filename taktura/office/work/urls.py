"""Addresses of long work."""

from django.urls import path

from taktura.office.work import views

urlpatterns = [
    path("tray/", views.tray, name="work_tray"),
    path("<int:pk>/", views.work, name="work"),
    path("<int:pk>/progress/", views.progress, name="work_progress"),
    path("<int:pk>/stop/", views.stop_work, name="stop_work"),
]
