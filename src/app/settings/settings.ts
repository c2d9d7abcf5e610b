import { CALLERS } from './callers.js';
import { KEEPING } from './keeping.js';
import { LIMITS } from './limits.js';
import { LISTENING } from './listening.js';
import { MODELS } from './models.js';
import { OBSERVING } from './observing.js';
import { PAGE } from './page.js';
import { PEOPLE } from './people.js';
import { COSTS, LOGGING, STREAMING } from './running.js';
import type { Section, Setting } from './setting.js';
import { TOOLS } from './tools.js';

/** The chapters of settings, in the order of the reference page. */
export const SECTIONS: readonly Section[] = [
  LISTENING,
  CALLERS,
  MODELS,
  TOOLS,
  KEEPING,
  PEOPLE,
  PAGE,
  LIMITS,
  STREAMING,
  LOGGING,
  OBSERVING,
  COSTS,
];

/** Every setting of the standalone app, by its name in the environment. */
export const SETTINGS = {
  ...LISTENING.settings,
  ...CALLERS.settings,
  ...MODELS.settings,
  ...TOOLS.settings,
  ...KEEPING.settings,
  ...PEOPLE.settings,
  ...PAGE.settings,
  ...LIMITS.settings,
  ...STREAMING.settings,
  ...LOGGING.settings,
  ...OBSERVING.settings,
  ...COSTS.settings,
};

export type SettingName = keyof typeof SETTINGS;

/** The value of each setting, its default where it is not set. */
export type Settings = {
  readonly [Name in SettingName]: (typeof SETTINGS)[Name] extends Setting<infer Value> ? Value : never;
};

export const SETTING_NAMES = Object.keys(SETTINGS) as readonly SettingName[];

/** Returns what is known of a setting, whatever its value. */
export function describeSetting(name: SettingName): Setting {
  return SETTINGS[name];
}
