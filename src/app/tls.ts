import { readFileSync } from 'node:fs';
import { createSecureContext } from 'node:tls';

/** A certificate chain and its key, PEM. */
export interface Tls {
  readonly cert: Buffer;
  readonly key: Buffer;
}

/** Reads both files and tries them out, so that a wrong pair is a fault at boot and not at the first connection. */
export function readTls(certFile: string, keyFile: string): { readonly tls?: Tls; readonly error?: string } {
  try {
    const tls = { cert: readFileSync(certFile), key: readFileSync(keyFile) };
    createSecureContext(tls);
    return { tls };
  } catch (error) {
    const { code = 'not PEM' } = error as { readonly code?: string };
    return {
      error: `a PEM certificate chain and its unencrypted key cannot be read from the two files (${code})`,
    };
  }
}
