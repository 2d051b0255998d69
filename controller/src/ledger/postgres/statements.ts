import { STATEMENTS as COMMON } from '../sql/statements.ts';

/**
 * The common statements, and in this engine's words what should take one round trip however much is written. A
 * statement that numbers events may only run once the lease's row is locked: it sees what was committed before it began.
 */
export const STATEMENTS = {
  ...COMMON,

  /** The clock of leases beside the lease; nobody else moves until this transaction ends. */
  lockLease: `SELECT holder, epoch, until_at, step, lease_clock() AS clock FROM lease
    WHERE name = 'controller' FOR UPDATE`,
  fence: `UPDATE lease SET step = $2 WHERE name = 'controller' AND epoch = $1 AND holder <> ''`,

  putRollouts: `INSERT INTO rollout (subject, state) SELECT * FROM unnest($1::TEXT[], $2::TEXT[])
    ON CONFLICT (subject) DO UPDATE SET state = excluded.state`,
  removeRollouts: `DELETE FROM rollout WHERE subject = ANY ($1::TEXT[])`,
  putAnalyses: `INSERT INTO analysis (subject, state) SELECT * FROM unnest($1::TEXT[], $2::TEXT[])
    ON CONFLICT (subject) DO UPDATE SET state = excluded.state`,
  removeAnalyses: `DELETE FROM analysis WHERE subject = ANY ($1::TEXT[])`,

  /** The number of the first one. */
  insertEvents: `WITH last AS (SELECT COALESCE(MAX(seq), 0) AS seq FROM event),
    added AS (
      INSERT INTO event (seq, at, type, subject, actor, operation, commit_sha, data)
      SELECT last.seq + given.place, given.at, given.type, given.subject, given.actor, given.operation,
        given.commit_sha, given.data
      FROM last, unnest($1::DOUBLE PRECISION[], $2::TEXT[], $3::TEXT[], $4::TEXT[], $5::TEXT[], $6::TEXT[], $7::TEXT[])
        WITH ORDINALITY AS given (at, type, subject, actor, operation, commit_sha, data, place)
      RETURNING seq)
    SELECT MIN(seq) AS first FROM added`,

  /** As many as a short transaction can. */
  forgetEvents: `DELETE FROM event WHERE seq < LEAST(
    COALESCE((SELECT MIN(seq) FROM event WHERE at >= $1), (SELECT MAX(seq) FROM event)),
    (SELECT MIN(seq) FROM event) + $2::BIGINT)`,
} as const;
