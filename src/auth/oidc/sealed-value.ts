import { EncryptJWT, decodeProtectedHeader, jwtDecrypt, type JWTPayload } from 'jose';
import type { SigningKeys } from '../signing-key.js';

const ENCRYPTION = 'A256GCM';

/** What is kept in a browser and read by this server only, on each of its instances: encrypted, and good for a while. */
export class SealedValue {
  constructor(
    private readonly keys: SigningKeys,
    private readonly purpose: string,
    private readonly ttlMs: number,
  ) {}

  async seal(payload: JWTPayload): Promise<string> {
    const key = await this.keys.current();
    return new EncryptJWT(payload)
      .setProtectedHeader({ alg: 'dir', enc: ENCRYPTION, kid: key.id })
      .setExpirationTime(Math.floor((Date.now() + this.ttlMs) / 1000))
      .encrypt(key.forPurpose(this.purpose));
  }

  /** Returns undefined for what is not ours, was changed, or is too old. */
  async open(text: string): Promise<JWTPayload | undefined> {
    try {
      const { kid } = decodeProtectedHeader(text);
      const key = kid === undefined ? undefined : await this.keys.find(kid);
      if (!key) return undefined;
      const { payload } = await jwtDecrypt(text, key.forPurpose(this.purpose), {
        keyManagementAlgorithms: ['dir'],
        contentEncryptionAlgorithms: [ENCRYPTION],
        requiredClaims: ['exp'],
      });
      return payload;
    } catch {
      return undefined;
    }
  }
}
