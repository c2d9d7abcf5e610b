import { createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';

/** The claims that this server wants in a token. Those of the suite have none. */
const CLAIMS = { iss: 'https://id.example.com', aud: 'agent-stream' };

/** Returns the settings with which this server takes the tokens of {@link addClaims}. */
export function readTokenSettings(testFile) {
  return {
    AUTH_JWT_SECRET: readSecret(testFile),
    AUTH_ISSUER: CLAIMS.iss,
    AUTH_AUDIENCE: CLAIMS.aud,
    AUTH_ROLES_CLAIM: 'scopes',
  };
}

/** Returns headers with the token signed again with issuer and audience. A token that the suite has not signed stays as it is. */
export function addClaims(testFile) {
  const secret = readSecret(testFile);
  const sign = (text) => createHmac('sha256', secret).update(text).digest('base64url');
  return ({ authorization, ...headers }) => {
    if (authorization === undefined) return headers;
    const [head, claims, signature] = authorization.replace('Bearer ', '').split('.');
    if (sign(`${head}.${claims}`) !== signature) return { ...headers, authorization };
    const whole = { ...JSON.parse(Buffer.from(claims, 'base64url')), ...CLAIMS };
    const text = `${head}.${Buffer.from(JSON.stringify(whole)).toString('base64url')}`;
    return { ...headers, authorization: `Bearer ${text}.${sign(text)}` };
  };
}

/** Returns the key with which the tests sign their tokens. */
function readSecret(testFile) {
  const [, secret] = /encode\(\s*"([0-9a-f]{64})"/.exec(readFileSync(testFile, 'utf8')) ?? [];
  if (secret === undefined)
    throw new Error(`${testFile} has no key in the form that this script knows. Change readSecret.`);
  return secret;
}
