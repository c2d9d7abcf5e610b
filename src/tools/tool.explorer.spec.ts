import { Controller, Inject, Injectable, Module, Scope } from '@nestjs/common';
import { DiscoveryModule, REQUEST } from '@nestjs/core';
import { Test } from '@nestjs/testing';
import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { AgentTool } from './agent-tool.decorator.js';
import { executeTool } from './tool-execution.js';
import { ToolExplorer, type ToolRequest } from './tool.explorer.js';
import { ToolRegistry } from './tool.registry.js';
import { callContext, SOMEBODY } from './tool.testing.js';

const NAME = z.object({ name: z.string() });

function options(name: string) {
  return { name, label: 'Greeting…', description: 'Greet.', input: NAME };
}

@Injectable()
class Greeter {
  readonly greeting: string = 'Hello';

  @AgentTool(options('greet'))
  greet({ name }: z.output<typeof NAME>): string {
    return `${this.greeting}, ${name}`;
  }

  get broken(): never {
    throw new Error('A getter was called during discovery.');
  }
}

@Injectable({ scope: Scope.REQUEST })
class PersonalGreeter {
  constructor(@Inject(REQUEST) readonly request: ToolRequest) {}

  @AgentTool(options('greet_personally'))
  async *greet({ name }: z.output<typeof NAME>): AsyncGenerator<string, string, void> {
    yield 'thinking';
    return `${this.request.principal.userId} greets ${name}`;
  }
}

let created = 0;

@Injectable({ scope: Scope.TRANSIENT })
class CountingGreeter {
  readonly number = (created += 1);

  @AgentTool(options('count'))
  count(): number {
    return this.number;
  }
}

@Injectable()
class PoliteGreeter extends Greeter {
  override readonly greeting = 'Good day';
}

@Controller('greetings')
class GreetingController {
  @AgentTool(options('from_controller'))
  greet({ name }: z.output<typeof NAME>): string {
    return `Controller, ${name}`;
  }
}

async function explored(parts: { providers?: never[] | unknown[]; controllers?: unknown[] }) {
  const module = await Test.createTestingModule({
    imports: [DiscoveryModule],
    controllers: (parts.controllers ?? []) as never[],
    providers: [ToolRegistry, ToolExplorer, ...((parts.providers ?? []) as never[])],
  }).compile();
  await module.init();
  return module.get(ToolRegistry);
}

function call(registry: ToolRegistry, name: string, context = callContext()): Promise<unknown> {
  return executeTool(registry.get(name)!, { name: 'Ada' }, context);
}

describe('ToolExplorer', () => {
  it('binds the tools of singletons and controllers to their instance', async () => {
    const registry = await explored({ providers: [Greeter], controllers: [GreetingController] });
    expect(await call(registry, 'greet')).toBe('Hello, Ada');
    expect(await call(registry, 'from_controller')).toBe('Controller, Ada');
  });

  it('finds inherited methods with tools', async () => {
    const registry = await explored({ providers: [PoliteGreeter] });
    expect(await call(registry, 'greet')).toBe('Good day, Ada');
  });

  it('finds providers of factories and values, and an alias only once', async () => {
    const factory = { provide: 'GREETER', useFactory: async () => new PoliteGreeter() };
    const alias = { provide: 'ALIAS', useExisting: 'GREETER' };
    const value = { provide: 'VALUE', useValue: new GreetingController() };
    const registry = await explored({ providers: [factory, alias, value] });
    expect(await call(registry, 'greet')).toBe('Good day, Ada');
    expect(await call(registry, 'from_controller')).toBe('Controller, Ada');
  });

  it('resolves a request-scoped provider for each call, with the principal of that call', async () => {
    const registry = await explored({ providers: [PersonalGreeter] });
    const context = callContext();
    const [ada, bob] = await Promise.all([
      call(registry, 'greet_personally', context),
      call(registry, 'greet_personally', callContext({ principal: { ...SOMEBODY, userId: 'bob' } })),
    ]);
    expect([ada, bob]).toEqual(['ada greets Ada', 'bob greets Ada']);
    expect(context.updates).toEqual(['thinking']);
  });

  it('resolves a transient provider for each call', async () => {
    const registry = await explored({ providers: [CountingGreeter] });
    const first = (await call(registry, 'count')) as number;
    expect(await call(registry, 'count')).toBe(first + 1);
  });

  it('resolves a request-scoped controller', async () => {
    @Controller({ path: 'scoped', scope: Scope.REQUEST })
    class ScopedController {
      constructor(@Inject(REQUEST) readonly request: ToolRequest) {}

      @AgentTool(options('scoped'))
      who(): string {
        return this.request.principal.userId;
      }
    }
    const registry = await explored({ controllers: [ScopedController] });
    expect(await call(registry, 'scoped')).toBe('ada');
  });

  it('takes the provider from the module that declares the tool, even if another uses the same token', async () => {
    @Injectable({ scope: Scope.REQUEST })
    class Scoped {
      @AgentTool(options('scoped'))
      who(): string {
        return 'mine';
      }
    }
    @Module({ providers: [{ provide: 'SHARED', useClass: Scoped }] })
    class Mine {}
    @Module({ providers: [{ provide: 'SHARED', useValue: 'something else' }] })
    class Theirs {}
    const module = await Test.createTestingModule({
      imports: [DiscoveryModule, Mine, Theirs],
      providers: [ToolRegistry, ToolExplorer],
    }).compile();
    await module.init();
    expect(await call(module.get(ToolRegistry), 'scoped')).toBe('mine');
  });

  it('stops the start of an application with two tools of one name', async () => {
    await expect(explored({ providers: [Greeter, PoliteGreeter] })).rejects.toMatchObject({
      code: 'TOOL_DUPLICATE',
      message: expect.stringMatching(/Greeter\.greet and PoliteGreeter\.greet/),
    });
  });

  it('stops the start of an application with an invalid tool', async () => {
    class Wrong {
      @AgentTool(options('not a name'))
      greet(): void {}
    }
    await expect(explored({ providers: [Wrong] })).rejects.toMatchObject({
      code: 'TOOL_INVALID',
      message: expect.stringContaining('Wrong.greet'),
    });
  });
});
