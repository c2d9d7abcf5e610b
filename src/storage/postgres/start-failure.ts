import { AppError } from '../../errors.js';
import { nameOption } from '../../option-names.js';

const UNKNOWN_AUTHORITY = new Set([
  'SELF_SIGNED_CERT_IN_CHAIN',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
]);

/**
 * Returns an error that says what to change, where the database cannot be used as it is set up: certificates, encryption, names and
 * passwords. Only for the start, where an operator reads it. Anything else comes back as it is.
 */
export function explainedStart(error: unknown): unknown {
  const cause = error instanceof AppError ? error.options.cause : error;
  const explained = explain(cause);
  return explained === undefined ? error : new AppError('STORAGE_FAILED', explained, { cause });
}

function explain(cause: unknown): string | undefined {
  const { code, message, syscall } = (cause ?? {}) as {
    code?: unknown;
    message?: unknown;
    syscall?: unknown;
  };
  const text = String(message);
  const url = nameOption('url of PostgresStorage');
  if (typeof code === 'string' && UNKNOWN_AUTHORITY.has(code)) {
    return (
      `The database's TLS certificate comes from an authority that this process does not know (${code}). Name the authority's ` +
      `certificate: ?sslmode=verify-full&sslrootcert=/path/to/ca.pem in ${url}, or NODE_EXTRA_CA_CERTS=/path/to/ca.pem. ` +
      'sslmode=no-verify encrypts without checking who answers.'
    );
  }
  switch (code) {
    case 'ERR_TLS_CERT_ALTNAME_INVALID':
      return (
        `The database's TLS certificate is for another host name than that in ${url}. Write the name that the certificate has; ` +
        'sslmode=no-verify encrypts without checking who answers.'
      );
    case 'CERT_HAS_EXPIRED':
    case 'CERT_NOT_YET_VALID':
      return `The database's TLS certificate is not valid at this time (${code}). Renew it, or set this machine's clock.`;
    case 'ENOENT':
    case 'EACCES':
      if (syscall !== 'open') return undefined;
      return `A file that ${url} names cannot be read: look at its sslrootcert, sslcert and sslkey.`;
    case '28P01':
      return `The database refuses the user or the password in ${url}.`;
    case '28000':
      return (
        'The database does not let this user in from here. If it wants encrypted connections, add ?sslmode=verify-full to ' +
        `${url}; else look at its pg_hba.conf.`
      );
    case '3D000':
      return `The database that ${url} names does not exist. Create it, or name another.`;
    default:
  }
  if (/does not support SSL connections/i.test(text)) {
    return `The database does not speak TLS, and ${url} asks for it. Take sslmode out, or write sslmode=disable.`;
  }
  if (typeof code === 'string' && /^(ERR_SSL_|ERR_TLS_|EPROTO$|CERT_|INVALID_CA$)/.test(code)) {
    return `No TLS connection to the database comes about (${code}). Look at sslmode, sslrootcert, sslcert and sslkey in ${url}.`;
  }
  return undefined;
}
