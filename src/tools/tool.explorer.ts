import { Injectable, type OnModuleInit } from '@nestjs/common';
import { ContextIdFactory, DiscoveryService, MetadataScanner, ModuleRef } from '@nestjs/core';
import type { Principal } from '../principal.js';
import { agentToolOptions, type AgentToolMethod } from './agent-tool.decorator.js';
import type { Tool } from './agent-tool.js';
import { ToolRegistry } from './tool.registry.js';

type Wrapper = ReturnType<DiscoveryService['getProviders']>[number];
type Instance = Record<string, AgentToolMethod<Tool['input']>>;

/** The value of `@Inject(REQUEST)` in a request-scoped provider that a tool call asks for, and not an HTTP request. */
export interface ToolRequest {
  readonly principal: Principal;
}

/**
 * Finds every `@AgentTool` of the application at start-up and registers it; not those of another instance of our module. Of a provider made by a factory it sees the
 * methods when the factory is a singleton; a request-scoped factory has made nothing yet that could be looked at.
 */
@Injectable()
export class ToolExplorer implements OnModuleInit {
  constructor(
    private readonly discovery: DiscoveryService,
    private readonly scanner: MetadataScanner,
    private readonly moduleRef: ModuleRef,
    private readonly registry: ToolRegistry,
  ) {}

  /** @throws AppError `TOOL_INVALID`, `TOOL_DUPLICATE`: the application does not start */
  onModuleInit(): void {
    for (const wrapper of [...this.discovery.getProviders(), ...this.discovery.getControllers()]) {
      // An alias (useExisting) is another name of a provider that is in the list itself.
      if (!wrapper.isAlias && !this.#isOfAnother(wrapper)) this.#explore(wrapper);
    }
  }

  /** True for what was given to another instance of our module; the application's own providers are for all of them. */
  #isOfAnother({ host }: Wrapper): boolean {
    const explorer = host?.getProviderByKey<ToolExplorer>(ToolExplorer)?.instance;
    return explorer !== undefined && explorer !== this;
  }

  #explore(wrapper: Wrapper): void {
    const prototype = getPrototype(wrapper);
    if (!prototype) return;
    for (const method of this.scanner.getAllMethodNames(prototype)) {
      const options = agentToolOptions(prototype, method);
      if (!options) continue;
      const execute = isSingleton(wrapper)
        ? bound(wrapper.instance as Instance, method)
        : this.#resolvedPerCall(wrapper, method);
      this.registry.register({ ...options, execute }, `${prototype.constructor.name}.${method}`);
    }
  }

  #resolvedPerCall(wrapper: Wrapper, method: string): Tool['execute'] {
    // The provider's own module resolves it: another module may use the same token for something else.
    const host = wrapper.host?.getProviderByKey(ModuleRef)?.instance;
    const moduleRef = host ?? this.moduleRef;
    return async (input, context) => {
      const contextId = ContextIdFactory.create();
      const request: ToolRequest = { principal: context.principal };
      moduleRef.registerRequestByContextId(request, contextId);
      const instance = await moduleRef.resolve<Instance>(wrapper.token, contextId, {
        strict: host !== undefined,
      });
      return bound(instance, method)(input, context);
    };
  }
}

function isSingleton(wrapper: Wrapper): boolean {
  return wrapper.isDependencyTreeStatic() && !wrapper.isTransient;
}

/** The class to look at: the instance's own where there is one (a factory does not tell its class), else the declared one. */
function getPrototype(wrapper: Wrapper): object | undefined {
  if (!isSingleton(wrapper)) return (wrapper.metatype as { prototype?: object } | null)?.prototype;
  const instance: unknown = wrapper.instance;
  return typeof instance === 'object' && instance !== null
    ? (Object.getPrototypeOf(instance) as object | undefined)
    : undefined;
}

/** Looks the method up at each call, so that a wrapper put on the instance later (a spy, a tracer) is in effect. */
function bound(instance: Instance, method: string): Tool['execute'] {
  return (input, context) => instance[method]!(input, context);
}
