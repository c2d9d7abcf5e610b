/**
 * We do not fetch this. The message is written for the model and names what it asked for: never an address that a name
 * led to, for that would tell what is inside our network.
 */
export class FetchRefusedError extends Error {
  override readonly name = 'FetchRefusedError';
}
