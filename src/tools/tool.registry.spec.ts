import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { AppError } from '../errors.js';
import type { Tool } from './agent-tool.js';
import { ToolRegistry } from './tool.registry.js';
import { SOMEBODY } from './tool.testing.js';

function tool(fields: Partial<Tool> = {}): Tool {
  return {
    name: 'search',
    label: 'Searching…',
    description: 'Search.',
    input: z.object({}),
    execute: () => 'found',
    ...fields,
  };
}

function refusal(register: () => void): AppError {
  try {
    register();
  } catch (error) {
    if (error instanceof AppError) return error;
    throw error;
  }
  throw new Error('It was accepted.');
}

describe('ToolRegistry', () => {
  it('returns tools by name and lists them in the order of registration', () => {
    const registry = new ToolRegistry();
    registry.register(tool({ name: 'b' }), 'B.b');
    registry.register(tool({ name: 'a' }), 'A.a');
    expect(registry.list().map(({ name }) => name)).toEqual(['b', 'a']);
    expect(registry.get('a')?.name).toBe('a');
    expect(registry.get('toString')).toBeUndefined();
  });

  it('removes a tool and frees its name', () => {
    const registry = new ToolRegistry();
    registry.register(tool(), 'SearchTool.search');
    expect(registry.unregister('search')).toBe(true);
    expect(registry.unregister('search')).toBe(false);
    expect(registry.get('search')).toBeUndefined();
    expect(() => registry.register(tool(), 'WebTool.find')).not.toThrow();
  });

  it('offers a principal only the tools that its roles allow', () => {
    const registry = new ToolRegistry();
    registry.register(tool({ name: 'open' }), 'A.open');
    registry.register(tool({ name: 'refund', roles: ['support', 'admin'] }), 'A.refund');
    const names = (roles: string[]) => registry.availableTo({ ...SOMEBODY, roles }).map(({ name }) => name);
    expect(names([])).toEqual(['open']);
    expect(names(['admin'])).toEqual(['open', 'refund']);
  });

  it('names both places when two tools have the same name', () => {
    const registry = new ToolRegistry();
    registry.register(tool(), 'SearchTool.search');
    const { code, message } = refusal(() => registry.register(tool(), 'WebTool.find'));
    expect(code).toBe('TOOL_DUPLICATE');
    expect(message).toBe(
      "Two tools are named 'search': SearchTool.search and WebTool.find. Rename one in its @AgentTool.",
    );
    expect(refusal(() => registry.register(tool(), 'SearchTool.search')).message).toContain('in one module');
  });

  it.each(['', 'has space', 'ümlaut', 'a.b', 'x'.repeat(65), undefined as unknown as string])(
    'refuses the tool name %p',
    (name) => {
      const { code, message } = refusal(() => new ToolRegistry().register(tool({ name }), 'A.a'));
      expect(code).toBe('TOOL_INVALID');
      expect(message).toContain('A.a');
    },
  );

  it.each([z.string(), z.array(z.object({})), { type: 'object' }, undefined])(
    'refuses a tool whose input is not a zod object',
    (input) => {
      const { code, message } = refusal(() =>
        new ToolRegistry().register(tool({ input: input as unknown as z.ZodObject }), 'A.a'),
      );
      expect(code).toBe('TOOL_INVALID');
      expect(message).toContain('z.object');
    },
  );

  it.each([0, -1, Number.NaN, Number.POSITIVE_INFINITY])('refuses a tool with timeoutMs %p', (timeoutMs) => {
    const { code, message } = refusal(() => new ToolRegistry().register(tool({ timeoutMs }), 'A.a'));
    expect(code).toBe('TOOL_INVALID');
    expect(message).toContain(String(timeoutMs));
  });
});
