/**
 * Statements that lock tables for a migration that changes several of them. At the start of its transaction: instances at work take their locks in any
 * order, so it gives way before PostgreSQL finds a deadlock, and is tried again.
 */
export function lockTables(schema: string, ...tables: readonly string[]): string {
  const names = tables.map((table) => `${schema}.${table}`).join(', ');
  return `
  SET LOCAL lock_timeout = '300ms';
  LOCK TABLE ${names} IN ACCESS EXCLUSIVE MODE;
  SET LOCAL lock_timeout = 0;`;
}
