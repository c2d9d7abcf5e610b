import { z } from 'zod';

const label = z.string().min(1).max(256);
const namespace = z.array(label).min(1).max(32);
const key = z.string().min(1).max(512);

/** Query of `client.store.getItem`, in which the labels of a namespace are joined by periods. */
export const getItemSchema = z.looseObject({
  namespace: z
    .string()
    .default('')
    .transform((joined) => joined.split('.'))
    .pipe(namespace),
  key,
});

/** Body of `client.store.deleteItem`. */
export const deleteItemSchema = z.looseObject({ namespace, key }).meta({ id: 'LangGraphDeleteItem' });

/** Body of `client.store.putItem`. */
export const putItemSchema = z
  .looseObject({
    namespace,
    key,
    value: z.record(z.string(), z.unknown()),
    index: z.union([z.literal(false), z.array(z.string())]).nullish(),
    ttl: z.number().positive().nullish().meta({ description: 'Minutes after its last use.' }),
  })
  .meta({ id: 'LangGraphPutItem' });

/** Body of `client.store.searchItems`. */
export const searchItemsSchema = z
  .looseObject({
    namespace_prefix: z.array(label).max(32).nullish(),
    filter: z.record(z.string(), z.unknown()).nullish(),
    query: z.string().nullish(),
    limit: z.int().min(1).max(100).default(10),
    offset: z.int().min(0).default(0),
  })
  .meta({ id: 'LangGraphItemSearch' });

/** Body of `client.store.listNamespaces`. */
export const listNamespacesSchema = z
  .looseObject({
    prefix: z.array(label).max(32).nullish(),
    suffix: z.array(label).max(32).nullish(),
    max_depth: z.int().min(1).nullish(),
    limit: z.int().min(1).max(1_000).default(100),
    offset: z.int().min(0).default(0),
  })
  .meta({ id: 'LangGraphNamespaceSearch' });

export const itemSchema = z
  .object({
    namespace: z.array(z.string()),
    key: z.string(),
    value: z.record(z.string(), z.unknown()),
    created_at: z.string(),
    updated_at: z.string(),
    score: z.number().optional(),
  })
  .meta({ id: 'LangGraphItem' });
export type LangGraphItem = z.output<typeof itemSchema>;

export const itemListSchema = z.object({ items: z.array(itemSchema) }).meta({ id: 'LangGraphItems' });
export const namespaceListSchema = z
  .object({ namespaces: z.array(z.array(z.string())) })
  .meta({ id: 'LangGraphNamespaces' });
