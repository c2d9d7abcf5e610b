import { z } from 'zod';
import type { LangGraphEvent } from './langgraph-events.js';

/** A subscription to channels of a thread, from a sequence number on. */
export const subscriptionSchema = z
  .looseObject({
    channels: z.array(z.string().max(128)).max(64),
    namespaces: z.array(z.array(z.string())).optional(),
    depth: z.int().nonnegative().optional(),
    since: z.int().nonnegative().optional().meta({ description: 'Goes on behind the event of this seq.' }),
  })
  .meta({ id: 'LangGraphSubscription' });
export type Subscription = z.output<typeof subscriptionSchema>;

/** True for an event that the subscription is about: in a namespace that it names, or inside one as deep as it says. */
export function isWanted(
  { method, params }: LangGraphEvent,
  { channels, namespaces = [[]], depth = Infinity }: Subscription,
): boolean {
  const { namespace } = params;
  const isInside = (prefix: readonly string[]) =>
    prefix.every((segment, index) => namespace[index] === segment) &&
    namespace.length - prefix.length <= depth;
  if (namespaces.length > 0 && !namespaces.some(isInside)) return false;
  switch (method) {
    case 'input.requested':
    case 'input.answered':
      return channels.includes('input');
    case 'custom': {
      const { name } = params.data as { name: string };
      return channels.includes('custom') || channels.includes(`custom:${name}`);
    }
    default:
      return channels.includes(method);
  }
}
