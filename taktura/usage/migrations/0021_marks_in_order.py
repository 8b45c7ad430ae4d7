"""Marks are drawn many at once, so that what comes to its lines again keeps the order in which it arrived."""

from django.db import migrations

# The application's login may draw marks, and not set them: this does both, and only goes on. It gives the mark before
# the first of so many. Within an act, so that nobody else draws meanwhile.
MARKS = """
CREATE FUNCTION usage_marks(many bigint) RETURNS bigint LANGUAGE sql SECURITY DEFINER
    SET search_path = pg_catalog, public
    AS $$ SELECT setval('public.usage_mark', nextval('public.usage_mark') + many - 1) - many $$;
"""


class Migration(migrations.Migration):

    dependencies = [
        ('usage', '0020_keys_checked_once'),
    ]

    operations = [
        migrations.RunSQL(MARKS, migrations.RunSQL.noop),
    ]
