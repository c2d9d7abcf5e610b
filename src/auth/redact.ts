/** For pino's `redact.paths`: what of a request and response (pino-http's `req` and `res`) proves who somebody is. */
export const SECRET_LOG_PATHS: readonly string[] = [
  'req.headers.authorization',
  'req.headers.cookie',
  'req.headers["x-api-key"]',
  'req.headers.referer',
  'req.query.ticket',
  'req.query.code',
  'res.headers["set-cookie"]',
];

/** Names of parameters whose values prove something: a stream ticket, and the code that a provider sends a browser back with. */
const SECRET_PARAMETERS = new Set(['ticket', 'code']);

/** The URL as it may be logged: without the value of any `ticket` or `code` in its query, however the name is written. */
export function redactUrl(url: string): string {
  return url.replace(/([?&])([^=&#]+)=[^&#]*/g, (pair, separator: string, name: string) =>
    SECRET_PARAMETERS.has(decoded(name)) ? `${separator}${name}=[redacted]` : pair,
  );
}

function decoded(name: string): string {
  try {
    return decodeURIComponent(name);
  } catch {
    return name;
  }
}
