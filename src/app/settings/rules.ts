import { parseModels } from '../../agents/langgraph/model.factory.js';
import { statSync } from 'node:fs';
import { isLoopbackHost } from '../../auth/origin.js';
import { validateBrand, type BrandOptions } from '../../brand.js';
import { readLogoFile } from '../logo-file.js';
import { BUILT_IN_AGENT, ownAgents } from '../own-agents.js';
import { isInstalled } from '../../optional-packages.js';
import { bodyLimitsWithin } from '../../http/body-budget.js';
import { bodyBytesFor } from '../body-limits.js';
import { readPricesFile } from '../prices-file.js';
import type { SettingName, Settings } from './settings.js';
import { readTls } from '../tls.js';

/** A rule among settings that are each well-formed. */
export interface Rule {
  /** Settings that the rule looks at, the culprit first. It is not applied while one of these is malformed: one fault, one line. */
  readonly about: readonly [SettingName, ...SettingName[]];
  /** Returns the remedy, or undefined if the rule holds. */
  findError(settings: Settings): string | undefined;
}

const ENABLES_AUTH = ['AUTH_JWT_SECRET', 'AUTH_JWKS_URL', 'AUTH_OIDC_ISSUER', 'AUTH_API_KEYS'] as const;

export const RULES: readonly Rule[] = [
  {
    about: ['HOST', ...ENABLES_AUTH],
    findError: (settings) =>
      isLoopbackAddress(settings.HOST) || ENABLES_AUTH.some((name) => settings[name] !== undefined)
        ? undefined
        : 'without authentication it may listen on loopback only. ' +
          `Set one of ${ENABLES_AUTH.join(', ')}, or unset HOST`,
  },
  {
    about: ['AUTH_JWT_SECRET', 'AUTH_JWKS_URL'],
    findError: ({ AUTH_JWT_SECRET, AUTH_JWKS_URL }) =>
      AUTH_JWT_SECRET && AUTH_JWKS_URL ? 'set this or AUTH_JWKS_URL, not both' : undefined,
  },
  neededForTokens('AUTH_ISSUER', 'the iss claim that tokens must have'),
  neededForTokens('AUTH_AUDIENCE', 'the aud claim that tokens must have'),
  neededForProvider('AUTH_OIDC_CLIENT_ID', 'the name of this server at the provider'),
  neededForProvider('PUBLIC_URL', 'the URL at which browsers reach the page'),
  {
    about: ['AUTH_OIDC_CLIENT_SECRET', 'AUTH_OIDC_ISSUER'],
    findError: ({ AUTH_OIDC_CLIENT_SECRET, AUTH_OIDC_ISSUER }) =>
      AUTH_OIDC_CLIENT_SECRET && !AUTH_OIDC_ISSUER
        ? 'it has no effect without AUTH_OIDC_ISSUER; set that, or unset this'
        : undefined,
  },
  {
    about: ['AUTH_OIDC_ISSUER'],
    findError: ({ AUTH_OIDC_ISSUER }) =>
      AUTH_OIDC_ISSUER && !isInstalled('openid-client')
        ? 'it needs a package that is not installed: npm i openid-client'
        : undefined,
  },
  {
    about: ['TLS_CERT_FILE', 'TLS_KEY_FILE'],
    findError: ({ TLS_CERT_FILE, TLS_KEY_FILE }) => {
      if (!TLS_CERT_FILE && !TLS_KEY_FILE) return undefined;
      if (!TLS_CERT_FILE || !TLS_KEY_FILE) return 'set both TLS_CERT_FILE and TLS_KEY_FILE, or neither';
      return readTls(TLS_CERT_FILE, TLS_KEY_FILE).error;
    },
  },
  needsDatabase('REDIS_URL', 'it carries hints between instances'),
  needsDatabase('DATABASE_LISTEN_URL', 'it is where hints come from'),
  {
    about: ['ROLES', 'DATABASE_URL'],
    findError: ({ ROLES, DATABASE_URL }) =>
      ROLES.length < 2 && !DATABASE_URL
        ? 'set DATABASE_URL, where processes find each other’s runs, or unset it: the embedded storage belongs to one process'
        : undefined,
  },
  {
    about: ['AUTH_TICKET_SECRET', 'AUTH_JWT_SECRET', 'AUTH_API_KEYS'],
    findError: ({ AUTH_TICKET_SECRET, AUTH_JWT_SECRET, AUTH_API_KEYS = [] }) =>
      [AUTH_JWT_SECRET, ...AUTH_API_KEYS.map(({ key }) => key)].some(
        (held) => held !== undefined && AUTH_TICKET_SECRET?.includes(held),
      )
        ? 'others know it, as AUTH_JWT_SECRET or in AUTH_API_KEYS, and could sign in as anybody. Write another secret, or unset it'
        : undefined,
  },
  {
    about: ['LOOKUP_DATABASE_URL', 'DATABASE_URL'],
    findError: ({ LOOKUP_DATABASE_URL, DATABASE_URL }) =>
      LOOKUP_DATABASE_URL && DATABASE_URL && isSameAccount(LOOKUP_DATABASE_URL, DATABASE_URL)
        ? 'it is the account that DATABASE_URL uses, which can read everybody’s conversations and the keys that sign sessions. ' +
          'Give the tool a user of its own, who may read its tables only'
        : undefined,
  },
  {
    about: ['MAX_BODY_BYTES_IN_FLIGHT', 'MAX_HISTORY_BYTES', 'MAX_MESSAGE_BYTES'],
    findError: (settings) => {
      const longest = Math.max(settings.MAX_HISTORY_BYTES, bodyBytesFor(settings.MAX_MESSAGE_BYTES));
      return bodyLimitsWithin(settings.MAX_BODY_BYTES_IN_FLIGHT).perPrincipal < longest
        ? `write at least ${(4 * longest).toLocaleString('en')} bytes: one caller may hold a quarter, and a request may be as long as MAX_HISTORY_BYTES and MAX_MESSAGE_BYTES allow`
        : undefined;
    },
  },
  {
    about: ['LANGGRAPH_JSON', 'AGENTS'],
    findError: (settings) => {
      if (settings.LANGGRAPH_JSON === undefined) return undefined;
      try {
        const twice = ownAgents(settings).find(({ name }, index, all) =>
          all.slice(0, index).some((other) => other.name === name),
        );
        return twice && `'${twice.name}' is in AGENTS, too. Rename one of them`;
      } catch (error) {
        return error instanceof Error ? error.message : String(error);
      }
    },
  },
  {
    about: ['DEFAULT_AGENT', 'AGENTS', 'LANGGRAPH_JSON'],
    findError: (settings) => {
      const names = namesOfAgents(settings);
      const { DEFAULT_AGENT: name } = settings;
      return name === undefined || !names || names.includes(name)
        ? undefined
        : `there is no such agent. Write one of ${names.join(', ')}`;
    },
  },
  {
    about: ['PRICES_FILE'],
    findError: ({ PRICES_FILE }) => {
      if (PRICES_FILE === undefined) return undefined;
      try {
        readPricesFile(PRICES_FILE);
        return undefined;
      } catch (error) {
        return error instanceof Error ? error.message : String(error);
      }
    },
  },
  {
    about: ['BRAND_LOGO'],
    findError: ({ BRAND_LOGO }) => {
      try {
        if (BRAND_LOGO !== undefined) readLogoFile(BRAND_LOGO);
        return undefined;
      } catch (error) {
        return error instanceof Error ? error.message : String(error);
      }
    },
  },
  aboutBrand('BRAND_NAME', 'name'),
  aboutBrand('BRAND_ACCENT', 'accent'),
  aboutBrand('BRAND_GREETING', 'greeting'),
  {
    about: ['SUGGESTIONS', 'AGENTS', 'LANGGRAPH_JSON'],
    findError: (settings) => {
      const names = namesOfAgents(settings);
      const unknown = names && [...settings.SUGGESTIONS.keys()].find((each) => !names.includes(each));
      return unknown && `there is no agent '${unknown}'. Agents: ${names.join(', ')}`;
    },
  },
  needsGraphs('EXPOSED_STATE'),
  needsGraphs('EXPOSED_TOOLS'),
  needsGraphs('EXPOSED_ERRORS'),
  needsGraphs('CONFIGURABLE_KEYS'),
  needsGraphs('STATE_CHANGES'),
  needsGraphs('AGENT_ACCEPTS'),
  needsGraphs('STATE_HISTORY'),
  needsKey('openai', 'OPENAI_API_KEY'),
  needsKey('anthropic', 'ANTHROPIC_API_KEY'),
  {
    about: ['KNOWLEDGE_DIR'],
    findError: ({ KNOWLEDGE_DIR }) =>
      KNOWLEDGE_DIR && !statSync(KNOWLEDGE_DIR, { throwIfNoEntry: false })?.isDirectory()
        ? 'no such directory; write the path of a folder of Markdown files'
        : undefined,
  },
];

/** The module refuses it too; here it is one fault among others, by the name of the setting. */
function aboutBrand(
  name: 'BRAND_NAME' | 'BRAND_ACCENT' | 'BRAND_GREETING',
  option: keyof BrandOptions,
): Rule {
  return {
    about: [name],
    findError: (settings) =>
      validateBrand({ [option]: settings[name] }, () => 'it')[0]?.replace(/^it:? /, (start) =>
        start === 'it ' ? 'it ' : '',
      ),
  };
}

/** Only graphs have what the setting is about. */
function needsGraphs(
  name:
    | 'EXPOSED_STATE'
    | 'EXPOSED_TOOLS'
    | 'EXPOSED_ERRORS'
    | 'CONFIGURABLE_KEYS'
    | 'STATE_CHANGES'
    | 'STATE_HISTORY'
    | 'AGENT_ACCEPTS',
): Rule {
  return {
    about: [name, 'AGENTS', 'LANGGRAPH_JSON'],
    findError: (settings) => {
      const graphs = namesOfAgents(settings)?.filter((each) => each !== BUILT_IN_AGENT);
      const named = settings[name];
      const agents = named instanceof Map ? [...named.keys()] : [...(named as readonly string[])];
      const unknown = graphs && agents.find((each) => !graphs.includes(each));
      return unknown && `there is no graph '${unknown}'. Graphs: ${graphs.join(', ') || 'none'}`;
    },
  };
}

/** Every agent that can be named; undefined while langgraph.json cannot be read, which has a fault of its own. */
function namesOfAgents(settings: Settings): string[] | undefined {
  try {
    return [...ownAgents(settings).map(({ name }) => name), BUILT_IN_AGENT];
  } catch {
    return undefined;
  }
}

function isSameAccount(url: string, other: string): boolean {
  if (!URL.canParse(url) || !URL.canParse(other)) return false;
  const account = (text: string) => {
    const { hostname, port, username, pathname } = new URL(text);
    return [hostname, port || '5432', username, pathname].join(' ');
  };
  return account(url) === account(other);
}

function isLoopbackAddress(host: string): boolean {
  return isLoopbackHost(host.includes(':') ? `[${host}]` : host);
}

/** An issuer without a way to check tokens means that the way was forgotten; a way without an issuer accepts strangers. */
function neededForTokens(name: 'AUTH_ISSUER' | 'AUTH_AUDIENCE', meaning: string): Rule {
  return {
    about: [name, 'AUTH_JWT_SECRET', 'AUTH_JWKS_URL'],
    findError: (settings) => {
      const checksTokens = Boolean(settings.AUTH_JWT_SECRET ?? settings.AUTH_JWKS_URL);
      if (checksTokens === Boolean(settings[name])) return undefined;
      return checksTokens
        ? `set it to ${meaning}; AUTH_JWT_SECRET and AUTH_JWKS_URL need it`
        : 'it has no effect without AUTH_JWT_SECRET or AUTH_JWKS_URL; set one of them, or unset it';
    },
  };
}

function neededForProvider(name: 'AUTH_OIDC_CLIENT_ID' | 'PUBLIC_URL', meaning: string): Rule {
  return {
    about: [name, 'AUTH_OIDC_ISSUER'],
    findError: (settings) => {
      if (Boolean(settings.AUTH_OIDC_ISSUER) === Boolean(settings[name])) return undefined;
      return settings[name]
        ? 'it has no effect without AUTH_OIDC_ISSUER; set that, or unset this'
        : `set it to ${meaning}; AUTH_OIDC_ISSUER needs it`;
    },
  };
}

function needsDatabase(name: 'REDIS_URL' | 'DATABASE_LISTEN_URL', meaning: string): Rule {
  return {
    about: [name, 'DATABASE_URL'],
    findError: (settings) =>
      settings[name] && !settings.DATABASE_URL
        ? `it has no effect without DATABASE_URL: ${meaning}. Set that, or unset this`
        : undefined,
  };
}

function needsKey(provider: string, name: 'OPENAI_API_KEY' | 'ANTHROPIC_API_KEY'): Rule {
  return {
    about: [name, 'MODEL', 'MODEL_API_KEY', 'MODEL_BASE_URL'],
    findError: (settings) =>
      parseModels(settings.MODEL).some((model) => model.startsWith(`${provider}:`)) &&
      !(settings[name] ?? settings.MODEL_API_KEY ?? settings.MODEL_BASE_URL)
        ? `MODEL=${settings.MODEL} needs a key. Set it, or MODEL_BASE_URL for a server that asks for none`
        : undefined,
  };
}

/** Lists combinations that are allowed and probably not meant. */
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
