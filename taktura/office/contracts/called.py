"""What a contract line is called: its title, and its name where it has one, so that several of one article differ."""

from django.utils.translation import gettext as _


def called(title: str, name: str) -> str:
    """A line's title with its name, if any."""
    return _("%(title)s “%(name)s”") % {"title": title, "name": name} if name else title
