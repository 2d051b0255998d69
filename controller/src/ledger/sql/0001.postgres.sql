-- What 0001.sql cannot say in the common subset.

-- Subjects and ids sort by their bytes, whatever the language of the database.
ALTER TABLE event ALTER COLUMN subject TYPE TEXT COLLATE "C";
ALTER TABLE operation ALTER COLUMN id TYPE TEXT COLLATE "C";
ALTER TABLE operation ALTER COLUMN subject TYPE TEXT COLLATE "C";
ALTER TABLE rollout ALTER COLUMN subject TYPE TEXT COLLATE "C";
ALTER TABLE analysis ALTER COLUMN subject TYPE TEXT COLLATE "C";

-- Id of the step that was written last: whoever lost the answer to a COMMIT sees by it whether the step went through.
ALTER TABLE lease ADD COLUMN step TEXT NOT NULL DEFAULT '';

-- Milliseconds since 1970: the one clock by which leases run, whatever those of the controllers say.
CREATE FUNCTION lease_clock() RETURNS DOUBLE PRECISION LANGUAGE SQL VOLATILE AS
$$ SELECT floor(extract(epoch FROM clock_timestamp()) * 1000)::DOUBLE PRECISION $$;

CREATE FUNCTION refuse_event_change() RETURNS TRIGGER LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'events are append-only'; END $$;

CREATE TRIGGER event_is_never_changed BEFORE UPDATE ON event
FOR EACH ROW EXECUTE FUNCTION refuse_event_change();

CREATE TRIGGER event_is_never_removed BEFORE DELETE ON event
FOR EACH ROW EXECUTE FUNCTION refuse_event_change();

CREATE TRIGGER events_are_never_emptied BEFORE TRUNCATE ON event
FOR EACH STATEMENT EXECUTE FUNCTION refuse_event_change();
