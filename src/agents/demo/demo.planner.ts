import { countriesSql } from './demo.countries.sql.js';
import type { Intent } from './demo.intents.js';
import { countriesIn } from './demo.country-names.js';
import { toolFor, type BoundTool, type ToolRole } from './demo.tools.js';

/** A tool call that the demo model wants to make. */
export interface PlannedCall {
  readonly name: string;
  readonly args: Readonly<Record<string, string>>;
  readonly intent: Intent;
}

/** What to do about a message: calls to make side by side, and what cannot be done, for the answer to say. */
export interface Plan {
  readonly calls: readonly PlannedCall[];
  readonly gaps: readonly Gap[];
}

/** What was asked for and cannot be done. */
export type Gap =
  | { readonly reason: 'no-tool'; readonly role: ToolRole }
  | { readonly reason: 'many-zones' | 'unknown-place'; readonly place: string }
  | { readonly reason: 'no-population' };

const ROLE_OF_INTENT: Readonly<Record<Intent['kind'], ToolRole>> = {
  calculation: 'calculator',
  time: 'clock',
  countries: 'lookup',
  knowledge: 'knowledge',
  fetch: 'fetch',
  search: 'search',
};

/** Turns intents into calls of the tools that are bound. A tool that is not bound is never called. */
export function plan(intents: readonly Intent[], tools: readonly BoundTool[]): Plan {
  const calls: PlannedCall[] = [];
  const gaps = new Map<string, Gap>();
  for (const intent of intents) {
    const role = ROLE_OF_INTENT[intent.kind];
    const found = toolFor(role, tools);
    const value = found && argumentOf(intent);
    if (found && value !== undefined)
      calls.push({ name: found.tool.name, args: { [found.argument]: value }, intent });
    const gap: Gap | undefined = found ? gapIn(intent) : { reason: 'no-tool', role };
    if (gap) gaps.set(JSON.stringify(gap), gap);
  }
  return { calls, gaps: [...gaps.values()] };
}

function argumentOf(intent: Intent): string | undefined {
  switch (intent.kind) {
    case 'calculation':
      return intent.expression;
    case 'time':
      return intent.zone;
    case 'countries':
      return countriesSql(intent.question);
    case 'fetch':
      return intent.url;
    case 'knowledge':
    case 'search':
      return intent.query;
  }
}

/** What remains open although the tool is there. */
function gapIn(intent: Intent): Gap | undefined {
  if (intent.kind === 'time' && !intent.zone) {
    const isCountry = countriesIn(intent.place).length > 0;
    return { reason: isCountry ? 'many-zones' : 'unknown-place', place: intent.place };
  }
  const asksPopulation =
    intent.kind === 'countries' &&
    intent.question.about === 'facts' &&
    intent.question.facts.includes('population');
  return asksPopulation ? { reason: 'no-population' } : undefined;
}
