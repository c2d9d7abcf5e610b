import { z } from 'zod';

/** The `store` of a langgraph.json. */
export const STORE = z.looseObject({
  index: z
    .looseObject({
      dims: z.int().positive(),
      embed: z.string(),
      fields: z.array(z.string()).optional(),
    })
    .optional(),
  ttl: z
    .looseObject({
      default_ttl: z.number().positive().nullish(),
      refresh_on_read: z.boolean().optional(),
      sweep_interval_minutes: z.number().optional(),
    })
    .optional(),
});

/** The store of a LangGraph Server project, in our words. */
export interface ProjectStore {
  readonly index?: {
    readonly dims: number;
    /** `openai:model`, or `path:export` from the working directory. */
    readonly embed: string;
    readonly fields?: readonly string[];
  };
  readonly ttlMs?: number;
  readonly refreshOnRead?: boolean;
}

const MS_PER_MINUTE = 60_000;

/**
 * @param toReference makes a path of the file one from the working directory
 * @throws Error whose message says what to write instead
 */
export function readStore(
  { index, ttl }: z.output<typeof STORE>,
  toReference: (path: string) => string,
): ProjectStore {
  return {
    ...(index && {
      index: {
        dims: index.dims,
        embed: readEmbed(index.embed, toReference),
        ...(index.fields && { fields: index.fields }),
      },
    }),
    ...(ttl?.default_ttl != null && { ttlMs: Math.ceil(ttl.default_ttl * MS_PER_MINUTE) }),
    ...(ttl?.refresh_on_read !== undefined && { refreshOnRead: ttl.refresh_on_read }),
  };
}

function readEmbed(embed: string, toReference: (path: string) => string): string {
  if (/^openai:\S+$/.test(embed)) return embed;
  if (/\.[cm]?[jt]sx?([:#].+)?$/.test(embed)) return toReference(embed);
  throw new Error(
    `its \`store.index.embed\` is '${embed}'. Write openai:<model>, or ./embed.ts:embed with the path of a function that returns the vector of each text`,
  );
}

/** The parts that have no effect, a line each. */
export function notesOnStore({ index, ttl, ...others }: z.output<typeof STORE>): string[] {
  const unknown = [
    ...Object.keys(others),
    ...unknownIn('index', index, ['dims', 'embed', 'fields']),
    ...unknownIn('ttl', ttl, ['default_ttl', 'refresh_on_read', 'sweep_interval_minutes']),
  ];
  return [
    ...(ttl?.sweep_interval_minutes !== undefined
      ? ['`store.ttl.sweep_interval_minutes` of langgraph.json: Expired items are removed once a minute.']
      : []),
    ...unknown.map((key) => `\`store.${key}\` of langgraph.json: It has no counterpart here and no effect.`),
  ];
}

function unknownIn(part: string, value: object | undefined, known: readonly string[]): string[] {
  const unknown = Object.keys(value ?? {}).filter((key) => !known.includes(key));
  return unknown.map((key) => `${part}.${key}`);
}
