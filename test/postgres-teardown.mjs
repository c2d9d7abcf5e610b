/** Ends what `postgres-setup.mjs` started. */
export default async function stopPostgres() {
  await globalThis.stopPostgres?.();
}
