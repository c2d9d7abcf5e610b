import { afterEach, describe, expect, it } from '@jest/globals';
import {
  Body,
  Catch,
  Controller,
  Get,
  HttpException,
  Injectable,
  Module,
  Post,
  UnauthorizedException,
  VersioningType,
  type ArgumentsHost,
  type CallHandler,
  type CanActivate,
  type DynamicModule,
  type ExceptionFilter,
  type ExecutionContext,
  type NestInterceptor,
  type PipeTransform,
} from '@nestjs/common';
import {
  APP_FILTER,
  APP_GUARD,
  APP_INTERCEPTOR,
  APP_PIPE,
  HttpAdapterHost,
  ModulesContainer,
} from '@nestjs/core';
import { DocumentBuilder, SwaggerModule } from '@nestjs/swagger';
import { map, timeout, type Observable } from 'rxjs';
import {
  AgentTool,
  bringsStreamTicket,
  ChatModule,
  isAgentStreamRoute,
  type AgentKit,
  type ChatModuleOptions,
  type IncomingRequest,
  type Principal,
} from '../../src/index.js';
import { MemoryStorage } from '../../src/storage/index.js';
import { ToolRegistry } from '../../src/tools/index.js';
import { ScriptedAgent } from '../../src/testing/index.js';
import { z } from 'zod';
import { nineWords } from '../support/plays.js';
import { FRAMEWORKS, hostServers } from './host.server.js';

/** A request after the host's guard. */
type HostRequest = IncomingRequest & { user?: { readonly id: string; readonly org: string } };

const TOKEN = { authorization: 'Bearer ada' };

/** The host's own: it believes any name. */
@Injectable()
class BearerGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    if (bringsStreamTicket(context)) return true;
    const request = context.switchToHttp().getRequest<HostRequest>();
    const [, id] = request.headers.authorization?.split(' ') ?? [];
    if (!id) throw new UnauthorizedException('Who are you?');
    request.user = { id, org: 'acme' };
    return true;
  }
}

/** Wraps every answer, and gives none more than a moment: what many applications have. */
@Injectable()
class EnvelopeInterceptor implements NestInterceptor {
  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    if (isAgentStreamRoute(context)) return next.handle();
    return next.handle().pipe(
      timeout(1_000),
      map((data: unknown) => ({ data })),
    );
  }
}

@Catch()
class HostFilter implements ExceptionFilter {
  constructor(private readonly adapterHost: HttpAdapterHost) {}

  catch(error: unknown, host: ArgumentsHost): void {
    const status = error instanceof HttpException ? error.getStatus() : 500;
    this.adapterHost.httpAdapter.reply(host.switchToHttp().getResponse(), { hostSays: status }, status);
  }
}

/** Touches everything that it is given. */
@Injectable()
class TrimPipe implements PipeTransform {
  transform(value: unknown): unknown {
    return typeof value === 'string' ? value.trim() : value;
  }
}

@Injectable()
class OrdersService {
  @AgentTool({
    name: 'find_order',
    label: 'Looking up the order…',
    description: 'Finds an order.',
    input: z.object({ id: z.string() }),
  })
  find({ id }: { id: string }) {
    return { id, state: 'shipped' };
  }
}

@Controller('orders')
class OrdersController {
  @Get()
  list() {
    return ['one'];
  }

  @Post()
  create(@Body('name') name: string) {
    if (name === '') throw new HttpException('no name', 422);
    return { name };
  }
}

const getPrincipal = ({ user }: HostRequest): Principal | undefined =>
  user && { userId: user.id, tenant: user.org, roles: [] };

function createOptions(agent: string): ChatModuleOptions {
  return {
    storage: new MemoryStorage(),
    agents: () => [new ScriptedAgent(nineWords, { name: agent })],
    auth: { kind: 'host', getPrincipal },
    drainMs: 0,
  };
}

/** An application as it was before us, and our module in it. */
function hostWith(...chats: DynamicModule[]) {
  @Module({
    imports: chats,
    controllers: [OrdersController],
    providers: [
      OrdersService,
      { provide: APP_GUARD, useClass: BearerGuard },
      { provide: APP_INTERCEPTOR, useClass: EnvelopeInterceptor },
      { provide: APP_FILTER, useClass: HostFilter },
      { provide: APP_PIPE, useClass: TrimPipe },
    ],
  })
  class HostModule {}
  return HostModule;
}

describe.each(FRAMEWORKS)('existing application on %s', (framework) => {
  const start = hostServers();
  const begin = (...chats: DynamicModule[]) => start(hostWith(...chats), { framework });

  it("keeps the host's guard, envelope, filter and pipe on the host's own routes", async () => {
    const server = await begin(ChatModule.forRoot(createOptions('support')));
    expect(await server.call('GET', '/orders')).toMatchObject({ status: 401, body: { hostSays: 401 } });
    expect(await server.call('GET', '/orders', { headers: TOKEN })).toMatchObject({
      status: 200,
      body: { data: ['one'] },
    });
    expect(await server.call('POST', '/orders', { headers: TOKEN, body: { name: ' x ' } })).toMatchObject({
      body: { data: { name: 'x' } },
    });
    expect(await server.call('POST', '/orders', { headers: TOKEN, body: { name: ' ' } })).toMatchObject({
      status: 422,
      body: { hostSays: 422 },
    });
    expect(await server.call('GET', '/nowhere', { headers: TOKEN })).toMatchObject({
      status: 404,
      body: { hostSays: 404 },
    });
  });

  it("puts our routes behind the host's guard, and answers without the host's envelope and filter", async () => {
    const server = await begin(ChatModule.forRoot(createOptions('support')));
    expect(await server.call('POST', '/api/chat', { body: { message: 'hello' } })).toMatchObject({
      status: 401,
      body: { code: 'UNAUTHENTICATED', detail: 'Who are you?' },
    });
    const asked = await server.ask('/api/chat', { headers: TOKEN });
    expect(await asked.closed()).toBe('end');
    expect(asked.frames[0]).toMatchObject({ event: 'ready', id: expect.stringMatching(/\.0$/) });
    expect(asked.text).toBe('thequickbrownfoxjumpsoverthelazydog');

    const threads = await server.call('GET', '/api/chat/threads', { headers: TOKEN });
    expect(threads.body['items']).toHaveLength(1);
    const bobs = await server.call('GET', '/api/chat/threads', { headers: { authorization: 'Bearer bob' } });
    expect(bobs.body['items']).toEqual([]);
  });

  it("lets an EventSource past the host's guard with a valid ticket only", async () => {
    const server = await begin(ChatModule.forRoot(createOptions('support')));
    const asked = await server.ask('/api/chat', { headers: TOKEN });
    await asked.closed();
    const runPath = `/api/chat/runs/${String(asked.frames[0]!.data['runId'])}`;
    const { body } = await server.call('POST', `${runPath}/ticket`, { headers: TOKEN });
    const watched = await server.stream(String(body['eventsUrl']));
    await watched.closed();
    expect(watched.events).toEqual(asked.events);
    expect(await server.call('GET', `${runPath}/events?ticket=forged`)).toMatchObject({ status: 401 });
    expect(await server.call('GET', `${runPath}?ticket=${String(body['ticket'])}`)).toMatchObject({
      status: 401,
    });
  });

  it("puts the host's global prefix and version into our links and its Swagger document", async () => {
    let document: { paths: Record<string, unknown> } | undefined;
    const server = await start(
      hostWith(ChatModule.forRoot({ ...createOptions('support'), sessionPath: false, version: '1' })),
      {
        framework,
        prepare: (app) => {
          app.setGlobalPrefix('svc');
          app.enableVersioning({ type: VersioningType.URI, defaultVersion: '1' });
          document = SwaggerModule.createDocument(app, new DocumentBuilder().setTitle('Orders').build());
        },
      },
    );
    expect(Object.keys(document!.paths)).toEqual(
      expect.arrayContaining(['/svc/v1/orders', '/svc/v1/api/chat', '/svc/v1/api/chat/runs/{runId}/events']),
    );
    expect(Object.keys(document!.paths).filter((path) => path.includes('session'))).toEqual([]);
    const asked = await server.ask('/svc/v1/api/chat', { headers: TOKEN });
    await asked.closed();
    const { location } = asked.response.headers;
    expect(location).toMatch(/^\/svc\/v1\/api\/chat\/runs\//);
    const again = await server.stream(location!, { headers: TOKEN });
    await again.closed();
    expect(again.events).toEqual(asked.events);
  });

  it('runs two ChatModules side by side with their own paths, agents, tools and threads', async () => {
    @Injectable()
    class SupportTools {
      @AgentTool({ name: 'refund', label: 'Refunding…', description: 'Refunds.', input: z.object({}) })
      refund() {
        return 'done';
      }
    }
    const kits: Record<string, AgentKit> = {};
    const instance = (name: string) =>
      ChatModule.forRoot({
        ...createOptions(name),
        path: name,
        sessionPath: false,
        tools: [SupportTools],
        agents: (kit) => {
          kits[name] = kit;
          return [new ScriptedAgent(nineWords, { name })];
        },
      });
    const server = await begin(instance('support'), instance('sales'));

    for (const name of ['support', 'sales']) {
      const asked = await server.ask(`/${name}`, { headers: TOKEN });
      await asked.closed();
      expect((await asked.frame('run-start')).data).toMatchObject({ agent: name });
      const threads = await server.call('GET', `/${name}/threads`, { headers: TOKEN });
      expect(threads.body['items']).toHaveLength(1);
      expect(kits[name]!.tools.list().map((tool) => tool.name)).toEqual(['find_order', 'refund']);
    }
    expect(kits['support']!.tools).not.toBe(kits['sales']!.tools);
  });
});

describe('ChatModule alone', () => {
  const start = hostServers();

  it('registers no global guard, pipe, filter, interceptor or module', async () => {
    const { app } = await start(ChatModule.forRoot({ ...createOptions('support'), protocols: {} }));
    const modules = [...app.get(ModulesContainer, { strict: false }).values()];
    expect(modules.filter((module) => module.isGlobal).map(({ name }) => name)).toEqual([
      'InternalCoreModule',
    ]);
    const tokens = modules.flatMap((module) => [...module.providers.keys()].map(String));
    expect(tokens.length).toBeGreaterThan(20);
    expect(tokens.filter((token) => token.startsWith('APP_'))).toEqual([]);
  });
});

describe('ChatModule.forRootAsync', () => {
  const start = hostServers();
  const closed: string[] = [];
  afterEach(() => void closed.splice(0));

  it('takes its agents from a provider and its options from an injected service', async () => {
    @Injectable()
    class Settings {
      readonly agentName = 'from-settings';
    }
    @Injectable()
    class Agents {
      constructor(private readonly settings: Settings) {}

      make() {
        return [new ScriptedAgent(nineWords, { name: this.settings.agentName })];
      }
    }
    @Module({ providers: [Settings, Agents], exports: [Settings, Agents] })
    class SettingsModule {}
    class ObservedStorage extends MemoryStorage {
      override async close(): Promise<void> {
        await super.close();
        closed.push('storage');
      }
    }

    const server = await start(
      hostWith(
        ChatModule.forRootAsync({
          path: 'assistant',
          imports: [SettingsModule],
          inject: [Settings, Agents],
          useFactory: async (settings: Settings, agents: Agents) => ({
            storage: new ObservedStorage(),
            agents: () => agents.make(),
            auth: { kind: 'host' as const, getPrincipal },
            drainMs: 0,
            maxMessageBytes: settings.agentName.length,
          }),
        }),
      ),
    );
    const agents = await server.call('GET', '/assistant/agents', { headers: TOKEN });
    expect(agents.body).toMatchObject({ default: 'from-settings' });
    const long = await server.call('POST', '/assistant', {
      headers: TOKEN,
      body: { message: 'more than thirteen' },
    });
    expect(long.status).toBe(413);
    expect(server.app.get(ToolRegistry, { strict: false }).get('find_order')).toBeDefined();
    await server.app.close();
    expect(closed).toContain('storage');
  });
});
