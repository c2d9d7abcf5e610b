import { statSync } from 'node:fs';
import { isLoopbackHost } from '../auth/origin.js';
import type { SettingName, Settings } from './settings.js';
import { readTls } from './tls.js';

/** What must hold among settings that are each well-formed. */
export interface Rule {
  /** What the rule looks at, the culprit first. It is not applied while one of these is malformed: one fault, one line. */
  readonly about: readonly [SettingName, ...SettingName[]];
  /** What to write instead, or undefined when all is well. */
  fault(settings: Settings): string | undefined;
}

const ENABLES_AUTH = ['AUTH_JWT_SECRET', 'AUTH_JWKS_URL', 'AUTH_API_KEYS'] as const;

export const RULES: readonly Rule[] = [
  {
    about: ['HOST', ...ENABLES_AUTH],
    fault: (settings) =>
      isLoopbackAddress(settings.HOST) || ENABLES_AUTH.some((name) => settings[name] !== undefined)
        ? undefined
        : 'without authentication it may listen on loopback only. ' +
          `Set one of ${ENABLES_AUTH.join(', ')}, or unset HOST`,
  },
  {
    about: ['AUTH_JWT_SECRET', 'AUTH_JWKS_URL'],
    fault: ({ AUTH_JWT_SECRET, AUTH_JWKS_URL }) =>
      AUTH_JWT_SECRET && AUTH_JWKS_URL ? 'set this or AUTH_JWKS_URL, not both' : undefined,
  },
  neededForTokens('AUTH_ISSUER', 'the iss claim that tokens must have'),
  neededForTokens('AUTH_AUDIENCE', 'the aud claim that tokens must have'),
  {
    about: ['TLS_CERT_FILE', 'TLS_KEY_FILE'],
    fault: ({ TLS_CERT_FILE, TLS_KEY_FILE }) => {
      if (!TLS_CERT_FILE && !TLS_KEY_FILE) return undefined;
      if (!TLS_CERT_FILE || !TLS_KEY_FILE) return 'set both TLS_CERT_FILE and TLS_KEY_FILE, or neither';
      return readTls(TLS_CERT_FILE, TLS_KEY_FILE).fault;
    },
  },
  needsDatabase('REDIS_URL', 'it carries hints between instances'),
  needsDatabase('DATABASE_LISTEN_URL', 'it is where hints come from'),
  {
    about: ['ROLES', 'DATABASE_URL'],
    fault: ({ ROLES, DATABASE_URL }) =>
      ROLES.length < 2 && !DATABASE_URL
        ? 'set DATABASE_URL, where processes find each other’s runs, or unset it: the embedded storage belongs to one process'
        : undefined,
  },
  {
    about: ['AUTH_TICKET_SECRET', 'DATABASE_URL', 'AUTH_JWKS_URL'],
    fault: ({ AUTH_TICKET_SECRET, DATABASE_URL, AUTH_JWKS_URL, AUTH_API_KEYS }) =>
      DATABASE_URL && AUTH_JWKS_URL && !AUTH_API_KEYS && !AUTH_TICKET_SECRET
        ? 'set it to the same secret on all instances, so that each accepts the tickets and sessions of the others'
        : undefined,
  },
  needsKey('openai', 'OPENAI_API_KEY'),
  needsKey('anthropic', 'ANTHROPIC_API_KEY'),
  {
    about: ['KNOWLEDGE_DIR'],
    fault: ({ KNOWLEDGE_DIR }) =>
      KNOWLEDGE_DIR && !statSync(KNOWLEDGE_DIR, { throwIfNoEntry: false })?.isDirectory()
        ? 'no such directory; write the path of a folder of Markdown files'
        : undefined,
  },
];

function isLoopbackAddress(host: string): boolean {
  return isLoopbackHost(host.includes(':') ? `[${host}]` : host);
}

/** An issuer without a way to check tokens means that the way was forgotten; a way without an issuer accepts strangers. */
function neededForTokens(name: 'AUTH_ISSUER' | 'AUTH_AUDIENCE', meaning: string): Rule {
  return {
    about: [name, 'AUTH_JWT_SECRET', 'AUTH_JWKS_URL'],
    fault: (settings) => {
      const checksTokens = Boolean(settings.AUTH_JWT_SECRET ?? settings.AUTH_JWKS_URL);
      if (checksTokens === Boolean(settings[name])) return undefined;
      return checksTokens
        ? `set it to ${meaning}; AUTH_JWT_SECRET and AUTH_JWKS_URL need it`
        : 'it has no effect without AUTH_JWT_SECRET or AUTH_JWKS_URL; set one of them, or unset it';
    },
  };
}

function needsDatabase(name: 'REDIS_URL' | 'DATABASE_LISTEN_URL', meaning: string): Rule {
  return {
    about: [name, 'DATABASE_URL'],
    fault: (settings) =>
      settings[name] && !settings.DATABASE_URL
        ? `it has no effect without DATABASE_URL: ${meaning}. Set that, or unset this`
        : undefined,
  };
}

function needsKey(provider: string, name: 'OPENAI_API_KEY' | 'ANTHROPIC_API_KEY'): Rule {
  return {
    about: [name, 'MODEL', 'MODEL_API_KEY', 'MODEL_BASE_URL'],
    fault: (settings) =>
      settings.MODEL.startsWith(`${provider}:`) &&
      !(settings[name] ?? settings.MODEL_API_KEY ?? settings.MODEL_BASE_URL)
        ? `MODEL=${settings.MODEL} needs a key. Set it, or MODEL_BASE_URL for a server that asks for none`
        : undefined,
  };
}

/** What is allowed and probably not meant. */
export function warningsAbout(settings: Settings): string[] {
  const warnings: string[] = [];
  if (settings.TRUST_PROXY === true) {
    warnings.push(
      'TRUST_PROXY=true believes any X-Forwarded-For, also one that a client made up. Write the number of proxies instead.',
    );
  }
  if (settings.MODEL === 'demo' && (settings.MODEL_BASE_URL ?? settings.MODEL_API_KEY)) {
    warnings.push('MODEL_BASE_URL and MODEL_API_KEY have no effect on the demo model. Set MODEL as well.');
  }
  return warnings;
}
