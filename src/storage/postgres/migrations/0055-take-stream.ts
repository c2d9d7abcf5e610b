/** Takes a place for an open stream, in one round trip. Each statement of the function sees what was committed before it, and so before the lock was free. */
export const takeStream = (schema: string): string => `
  CREATE FUNCTION ${schema}.take_stream(stream text, of_principal text, hold_ms integer, at_most integer)
  RETURNS boolean LANGUAGE plpgsql VOLATILE AS $$
  BEGIN
    -- Of two streams that open at the same moment, the second counts the first. The name of the lock is that of the version before.
    PERFORM pg_advisory_xact_lock(hashtextextended('${schema}:streams:' || of_principal, 0));
    DELETE FROM ${schema}.open_streams WHERE principal = of_principal AND held_until <= ${schema}.now_ms();
    INSERT INTO ${schema}.open_streams (id, principal, held_until)
    SELECT stream, of_principal, ${schema}.now_ms() + hold_ms
    WHERE (SELECT count(*) FROM ${schema}.open_streams WHERE principal = of_principal) < at_most;
    RETURN FOUND;
  END $$;
`;
