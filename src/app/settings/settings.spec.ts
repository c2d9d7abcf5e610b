import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { makeCertificate } from '../../../test/support/certificate.js';
import { loadConfig, type Config } from '../config.js';
import { describeSetting, SECTIONS, SETTING_NAMES, type SettingName } from './settings.js';

type Env = Record<string, string>;

const directory = mkdtempSync(join(tmpdir(), 'settings-'));
const { cert, key } = makeCertificate();
const TLS = { TLS_CERT_FILE: join(directory, 'cert.pem'), TLS_KEY_FILE: join(directory, 'key.pem') };
writeFileSync(TLS.TLS_CERT_FILE, cert);
writeFileSync(TLS.TLS_KEY_FILE, key);
const LANGGRAPH_JSON = join(directory, 'langgraph.json');
const PRICES_FILE = join(directory, 'prices.json');
const BRAND_LOGO = join(directory, 'logo.svg');
writeFileSync(BRAND_LOGO, '<svg xmlns="http://www.w3.org/2000/svg"/>');
writeFileSync(PRICES_FILE, JSON.stringify({ models: { m: { input: 1, output: 2 } } }));
writeFileSync(LANGGRAPH_JSON, JSON.stringify({ graphs: { agent: './agent.js:graph' } }));

/** Settings that need more than text. */
const FILES: Partial<Record<SettingName, Env>> = {
  TLS_CERT_FILE: TLS,
  TLS_KEY_FILE: TLS,
  LANGGRAPH_JSON: { LANGGRAPH_JSON },
  PRICES_FILE: { PRICES_FILE },
  BRAND_LOGO: { BRAND_LOGO },
};

/** Returns the environment that a setting needs, without and with its example. */
function environmentsFor(name: SettingName): readonly [Env, Env] {
  const { example, needs = {} } = describeSetting(name);
  return [needs, FILES[name] ?? { ...needs, [name]: example }];
}

/** The config; that of no settings where these are refused without the one in question. */
function load(env: Env): Config {
  try {
    return loadConfig(env);
  } catch {
    return loadConfig({});
  }
}

function find(config: unknown, path: string): unknown {
  return path
    .split('.')
    .reduce<unknown>((value, part) => (value as Record<string, unknown> | undefined)?.[part], config);
}

describe('settings', () => {
  it.each(SETTING_NAMES)('passes the setting %s on to its option', (name) => {
    const { option } = describeSetting(name);
    const [without, withIt] = environmentsFor(name);
    const before = find(load(without), option);
    const after = find(loadConfig(withIt), option);
    expect(after).toBeDefined();
    expect(after).not.toEqual(before);
  });

  it.each(SETTING_NAMES.filter((name) => describeSetting(name).default !== undefined))(
    'gives the setting %s a default that can be written and differs from its example',
    (name) => {
      const { format, default: value, example } = describeSetting(name);
      const written = format.write(value!);
      if (written !== '') expect(format.parse(written)).toEqual(value);
      expect(format.parse(example)).not.toEqual(value);
    },
  );

  it('lists every setting in one section of the reference page', () => {
    expect(SECTIONS.flatMap(({ settings }) => Object.keys(settings))).toEqual(SETTING_NAMES);
  });
});
