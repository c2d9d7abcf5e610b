/** For pino's `redact.paths`: what of a request and response (pino-http's `req` and `res`) proves who somebody is. */
export const SECRET_LOG_PATHS: readonly string[] = [
  'req.headers.authorization',
  'req.headers.cookie',
  'req.headers["x-api-key"]',
  'req.headers.referer',
  'req.query.ticket',
  'res.headers["set-cookie"]',
];

/** The URL as it may be logged: without the value of any `ticket` in its query, however the name is written. */
export function redactUrl(url: string): string {
  return url.replace(/([?&])([^=&#]+)=[^&#]*/g, (pair, separator: string, name: string) =>
    decoded(name) === 'ticket' ? `${separator}${name}=[redacted]` : pair,
  );
}

function decoded(name: string): string {
  try {
    return decodeURIComponent(name);
  } catch {
    return name;
  }
}
