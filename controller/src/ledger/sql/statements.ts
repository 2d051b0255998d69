/*
 * The statements of every SQL ledger, in the common subset, with `$1` placeholders. A take of the lease's row by
 * UPDATE is how a step is fenced: it locks the row where rows are locked, and is free where the file is.
 */
const OPERATION = 'id, kind, subject, state, intent, result, created_at, updated_at';

export const STATEMENTS = {
  lease: `SELECT holder, epoch, until_at FROM lease WHERE name = 'controller'`,
  lockLease: `UPDATE lease SET epoch = epoch WHERE name = 'controller'`,
  holdLease: `UPDATE lease SET holder = $1, epoch = $2, until_at = $3 WHERE name = 'controller'`,
  releaseLease: `UPDATE lease SET holder = '', until_at = 0
    WHERE name = 'controller' AND holder = $1 AND epoch = $2`,
  fence: `UPDATE lease SET epoch = epoch WHERE name = 'controller' AND epoch = $1 AND holder <> ''`,

  insertOperation: `INSERT INTO operation (${OPERATION}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
    ON CONFLICT (id) DO NOTHING`,
  moveOperation: `UPDATE operation SET kind = $2, subject = $3, state = $4, intent = $5, result = $6,
    created_at = $7, updated_at = $8 WHERE id = $1 AND state = $9`,
  operation: `SELECT ${OPERATION} FROM operation WHERE id = $1`,
  openOperations: `SELECT ${OPERATION} FROM operation
    WHERE state NOT IN ('done', 'superseded', 'withheld') ORDER BY created_at, id`,
  recentOperations: `SELECT ${OPERATION} FROM operation
    WHERE subject = $1 AND created_at >= $2 ORDER BY created_at DESC, id DESC`,

  putRollout: `INSERT INTO rollout (subject, state) VALUES ($1, $2)
    ON CONFLICT (subject) DO UPDATE SET state = excluded.state`,
  removeRollout: `DELETE FROM rollout WHERE subject = $1`,
  rollouts: `SELECT subject, state FROM rollout ORDER BY subject`,
  putAnalysis: `INSERT INTO analysis (subject, state) VALUES ($1, $2)
    ON CONFLICT (subject) DO UPDATE SET state = excluded.state`,
  removeAnalysis: `DELETE FROM analysis WHERE subject = $1`,
  analyses: `SELECT subject, state FROM analysis ORDER BY subject`,

  lastSeq: `SELECT COALESCE(MAX(seq), 0) AS seq FROM event`,
  insertEvent: `INSERT INTO event (seq, at, type, subject, actor, operation, commit_sha, data)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
  keepEventsSince: `UPDATE retention SET events_before = $1 WHERE name = 'controller'`,
  forgetEvents: `DELETE FROM event WHERE seq <
    COALESCE((SELECT MIN(seq) FROM event WHERE at >= $1), (SELECT MAX(seq) FROM event))`,
} as const;

/** `$1` is the seq after which to read, `$2` the limit, then what else is asked for, in the order given here. */
export function eventsStatement(asked: { subject: boolean; types: number }): string {
  const subject = asked.subject ? ' AND subject = $3' : '';
  const first = asked.subject ? 4 : 3;
  const places = Array.from({ length: asked.types }, (_, index) => `$${first + index}`);
  const types = asked.types > 0 ? ` AND type IN (${places.join(', ')})` : '';
  return `SELECT seq, at, type, subject, actor, operation, commit_sha, data FROM event
    WHERE seq > $1${subject}${types} ORDER BY seq LIMIT $2`;
}
