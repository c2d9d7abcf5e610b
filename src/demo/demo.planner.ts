import { countriesSql } from './demo-countries-sql.js';
import type { Intent } from './demo-intents.js';
import { findCountries } from './demo-country-names.js';
import { toolFor, type BoundTool, type ToolRole } from './demo-tools.js';

/** A tool call that the demo model wants to make. */
export interface PlannedCall {
  readonly name: string;
  readonly args: Readonly<Record<string, string>>;
  readonly intent: Intent;
}

/** A plan for a message: calls to make side by side, and gaps that the answer has to mention. */
export interface Plan {
  readonly calls: readonly PlannedCall[];
  readonly gaps: readonly Gap[];
}

/** A request that cannot be met. */
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
    const value = found && findArgument(intent);
    if (found && value !== undefined)
      calls.push({ name: found.tool.name, args: { [found.argument]: value }, intent });
    const gap: Gap | undefined = found ? findGap(intent) : { reason: 'no-tool', role };
    if (gap) gaps.set(JSON.stringify(gap), gap);
  }
  return { calls, gaps: [...gaps.values()] };
}

function findArgument(intent: Intent): string | undefined {
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

/** Returns the part of an intent that remains open although the tool is there. */
function findGap(intent: Intent): Gap | undefined {
  if (intent.kind === 'time' && !intent.zone) {
    const isCountry = findCountries(intent.place).length > 0;
    return { reason: isCountry ? 'many-zones' : 'unknown-place', place: intent.place };
  }
  const asksPopulation =
    intent.kind === 'countries' &&
    intent.question.about === 'facts' &&
    intent.question.facts.includes('population');
  return asksPopulation ? { reason: 'no-population' } : undefined;
}
