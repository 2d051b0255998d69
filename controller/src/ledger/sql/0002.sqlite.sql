-- Whoever wants to remove an event has to have said first how old events may get.

DROP TRIGGER event_is_never_removed;

CREATE TRIGGER event_is_removed_only_when_old BEFORE DELETE ON event
WHEN OLD.at >= (SELECT events_before FROM retention WHERE name = 'controller')
BEGIN
  SELECT RAISE(ABORT, 'events are append-only');
END;
