import { createHmac, hkdfSync } from 'node:crypto';

/** A secret of the server's own, under the name that tokens carry as `kid`. */
export class SigningKey {
  private readonly derived = new Map<string, Uint8Array>();

  constructor(
    readonly id: string,
    private readonly secret: Uint8Array,
  ) {}

  /**
   * Returns one key for each purpose, none of which tells another or the secret (HKDF, RFC 5869). So what is signed for one
   * purpose is not valid for another.
   */
  forPurpose(purpose: string): Uint8Array {
    const known = this.derived.get(purpose);
    if (known) return known;
    const key = deriveBytes(this.secret, purpose, 32);
    this.derived.set(purpose, key);
    return key;
  }

  /** Returns what stands for a text in a token that anybody may read: without the key, texts cannot be tried against it. */
  fingerprint(text: string): string {
    return createHmac('sha256', this.forPurpose('fingerprint')).update(text).digest('base64url').slice(0, 22);
  }
}

/** The keys that tickets and session cookies are signed with. No caller holds one, or anything that one is derived from. */
export abstract class SigningKeys {
  /** Returns the key that signs now. */
  abstract current(): Promise<SigningKey>;

  /** Returns the key of that name while tokens that it has signed may still be good; undefined for any other. */
  abstract find(id: string): Promise<SigningKey | undefined>;

  /** Replaces all keys by a new one, so that nothing verifies that was signed before. Does nothing to keys from the settings. */
  abstract forgetAll(): Promise<void>;
}

export function deriveBytes(secret: Uint8Array, purpose: string, bytes: number): Uint8Array {
  return new Uint8Array(hkdfSync('sha256', secret, '', `nestjs-agent-stream ${purpose}`, bytes));
}
