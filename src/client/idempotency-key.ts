/**
 * A key that no other request has: 128 random bits. Keep it with a question to ask that again later without asking it twice.
 */
export function newIdempotencyKey(): string {
  // Not crypto.randomUUID, which browsers offer to secure origins only.
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
