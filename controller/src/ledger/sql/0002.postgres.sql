-- Whoever wants to remove an event has to have said first how old events may get.

DROP TRIGGER event_is_never_removed ON event;

CREATE FUNCTION refuse_young_event() RETURNS TRIGGER LANGUAGE plpgsql SET search_path FROM CURRENT AS
$$ BEGIN
  IF OLD.at >= (SELECT events_before FROM retention WHERE name = 'controller') THEN
    RAISE EXCEPTION 'events are append-only';
  END IF;
  RETURN OLD;
END $$;

CREATE TRIGGER event_is_removed_only_when_old BEFORE DELETE ON event
FOR EACH ROW EXECUTE FUNCTION refuse_young_event();
