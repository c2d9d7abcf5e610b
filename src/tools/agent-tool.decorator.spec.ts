import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { AgentTool, agentToolOptions } from './agent-tool.decorator.js';
import type { ToolContext } from './agent-tool.js';

const OPTIONS = {
  name: 'find_order',
  label: ({ id }: { id: number }) => `Looking for order ${id}…`,
  description: 'Find an order.',
  input: z.object({ id: z.coerce.number(), note: z.string().optional() }),
};

function Traced(_target: object, _name: string, descriptor: PropertyDescriptor): void {
  const original = descriptor.value as (...given: unknown[]) => unknown;
  descriptor.value = function (this: unknown, ...given: unknown[]) {
    return original.apply(this, given);
  };
}

class Orders {
  @AgentTool(OPTIONS)
  find({ id }: { id: number; note?: string | undefined }, _context: ToolContext): number {
    return id;
  }

  @Traced
  @AgentTool(OPTIONS)
  traced({ id }: { id: number }): number {
    return id;
  }

  // @ts-expect-error the schema gives a number where the method wants a string
  @AgentTool(OPTIONS)
  wrongField({ id }: { id: string }): string {
    return id;
  }

  // @ts-expect-error the schema has no such field
  @AgentTool(OPTIONS)
  missingField({ other }: { other: string }): string {
    return other;
  }

  // @ts-expect-error the second parameter is the context
  @AgentTool(OPTIONS)
  wrongContext(_input: { id: number }, context: string): string {
    return context;
  }

  plain(): void {}
}

class SpecialOrders extends Orders {}

describe('@AgentTool', () => {
  it('describes the method that @AgentTool decorates and no other', () => {
    expect(agentToolOptions(Orders.prototype, 'find')).toBe(OPTIONS);
    expect(agentToolOptions(Orders.prototype, 'plain')).toBeUndefined();
  });

  it('keeps the options of a tool when another decorator replaces the method', () => {
    expect(agentToolOptions(Orders.prototype, 'traced')).toBe(OPTIONS);
  });

  it('passes the options of a tool on to subclasses', () => {
    expect(agentToolOptions(SpecialOrders.prototype, 'find')).toBe(OPTIONS);
  });

  it('refuses a tool on a static method, which providers do not have', () => {
    expect(() => {
      class Wrong {
        @AgentTool(OPTIONS)
        static find({ id }: { id: number }): number {
          return id;
        }
      }
      return Wrong;
    }).toThrow(/static method Wrong\.find/);
  });
});
