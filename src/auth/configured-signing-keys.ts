import { deriveBytes, SigningKey, SigningKeys } from './signing-key.js';

/** Keys that the operator has chosen: the first signs, all verify. */
export class ConfiguredSigningKeys extends SigningKeys {
  private readonly keys: ReadonlyMap<string, SigningKey>;
  private readonly first: SigningKey;

  constructor([current, ...old]: readonly [string, ...string[]]) {
    super();
    this.first = toKey(current);
    this.keys = new Map([...old.map(toKey), this.first].map((key) => [key.id, key]));
  }

  override async current(): Promise<SigningKey> {
    return this.first;
  }

  override async find(id: string): Promise<SigningKey | undefined> {
    return this.keys.get(id);
  }

  override async forgetAll(): Promise<void> {
    // The operator changes the setting.
  }
}

/** Its name tells nothing of the secret, and is the same in every process that has it. */
function toKey(text: string): SigningKey {
  const secret = Buffer.from(text);
  return new SigningKey(Buffer.from(deriveBytes(secret, 'key id', 8)).toString('base64url'), secret);
}
