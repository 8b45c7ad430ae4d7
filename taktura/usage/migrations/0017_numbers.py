"""Telephone numbers in usage are known as such, so that they can be masked after a time."""

from django.db import migrations, models

from taktura.kit.immutable import append_only

# Of a number the last three digits, whatever stands between them; of what has fewer, as a name in an address, the last
# three characters. What follows on an @ or a semicolon, as in sip:4930123@example.com, is no part of the number.
FUNCTIONS = r"""
CREATE FUNCTION usage_masked(number text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN head ~ '[0-9][^0-9]*[0-9][^0-9]*[0-9]'
        THEN regexp_replace(head, '[0-9]([^0-9]*)[0-9]([^0-9]*)[0-9]([^0-9]*)$', 'x\1x\2x\3')
        ELSE left(head, greatest(length(head) - 3, 0)) || 'xxx' END || substr(number, length(head) + 1)
    FROM substring(number FROM '^[^@;]*') AS head
$$;
CREATE FUNCTION usage_masked(attributes jsonb, names jsonb) RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$
    SELECT jsonb_object_agg(key, CASE WHEN names ? key AND value IS NOT NULL THEN to_jsonb(usage_masked(value))
        ELSE attributes -> key END) FROM jsonb_each_text(attributes)
$$;
"""
# A revision of before may change by that alone: numbers that were in the clear are masked, and are so for good.
ONLY_MASKED = """
CREATE FUNCTION usage_only_masked() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    were jsonb := COALESCE(NULLIF(OLD.record -> 'numbers', 'null'), '[]');
    are jsonb := COALESCE(NULLIF(NEW.record -> 'numbers', 'null'), '[]');
    masked jsonb := were - ARRAY(SELECT jsonb_array_elements_text(are));
BEGIN
    IF masked <> '[]' AND were @> are
        AND to_jsonb(NEW) - 'record' = to_jsonb(OLD) - 'record'
        AND NEW.record - '{attributes,numbers}'::text[] = OLD.record - '{attributes,numbers}'::text[]
        AND NEW.record -> 'attributes' = usage_masked(OLD.record -> 'attributes', masked)
    THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'UPDATE of % is refused: what is issued or logged never changes', TG_TABLE_NAME
        USING ERRCODE = 'restrict_violation';
END $$;
DROP TRIGGER usage_usagehistory_unchanged ON usage_usagehistory;
CREATE TRIGGER usage_usagehistory_unchanged BEFORE DELETE OR TRUNCATE ON usage_usagehistory
    FOR EACH STATEMENT EXECUTE FUNCTION taktura_refuse();
CREATE TRIGGER usage_usagehistory_masked BEFORE UPDATE ON usage_usagehistory
    FOR EACH ROW EXECUTE FUNCTION usage_only_masked();
"""
FORGOTTEN = "DROP FUNCTION usage_masked(text); DROP FUNCTION usage_masked(jsonb, jsonb);"
# What is there already: attributes of the usual names, and files of calls.
FILL = """
UPDATE usage_usagerecord SET numbers = to_jsonb(ARRAY(SELECT n FROM unnest(ARRAY['caller', 'called']) n
    WHERE attributes ? n)) WHERE attributes ?| ARRAY['caller', 'called'];
ALTER TABLE usage_usagehistory DISABLE TRIGGER usage_usagehistory_unchanged;
UPDATE usage_usagehistory SET record = record || jsonb_build_object('numbers', to_jsonb(
    ARRAY(SELECT n FROM unnest(ARRAY['caller', 'called']) n WHERE record -> 'attributes' ? n)))
    WHERE record -> 'attributes' ?| ARRAY['caller', 'called'];
ALTER TABLE usage_usagehistory ENABLE TRIGGER usage_usagehistory_unchanged;
UPDATE usage_usagefile SET has_calls = TRUE WHERE mapping ?| ARRAY['seconds', 'call_id']
    OR mapping -> 'columns' ?| ARRAY['seconds', 'call_id'] OR mapping -> 'attributes' ?| ARRAY['caller', 'called']
    OR id IN (SELECT file_id FROM usage_usagerecord WHERE seconds IS NOT NULL);
"""
BEFORE = """
DROP TRIGGER usage_usagehistory_masked ON usage_usagehistory;
DROP TRIGGER usage_usagehistory_unchanged ON usage_usagehistory;
DROP FUNCTION usage_only_masked();
""" + append_only("usage_usagehistory")
HISTORY = """CREATE INDEX usage_history_numbers ON usage_usagehistory (seller_id)
    WHERE record ->> 'numbers' IS NOT NULL;"""


class Migration(migrations.Migration):

    dependencies = [
        ('customers', '0011_call_number_months'),
        ('usage', '0016_told_days'),
    ]

    operations = [
        migrations.AddField(
            model_name='usagefile',
            name='emptied_at',
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name='usagefile',
            name='has_calls',
            field=models.BooleanField(db_default=False, default=False, help_text='telephone numbers stand in it'),
        ),
        migrations.AddField(
            model_name='usagerecord',
            name='numbers',
            field=models.JSONField(help_text='which of its attributes are telephone numbers in the clear', null=True),
        ),
        migrations.RunSQL(FUNCTIONS, FORGOTTEN),
        migrations.RunSQL(FILL, migrations.RunSQL.noop),
        migrations.RunSQL(ONLY_MASKED, BEFORE),
        migrations.RunSQL(HISTORY, "DROP INDEX usage_history_numbers"),
        migrations.AddIndex(
            model_name='usagerecord',
            index=models.Index(condition=models.Q(('numbers__isnull', False)), fields=['seller', 'day'], name='usage_numbers'),
        ),
    ]
