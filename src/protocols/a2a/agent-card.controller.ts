import { Controller, Get, Req, UseFilters, type Type } from '@nestjs/common';
import { ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { AgentRegistry } from '../../agents/agent.registry.js';
import { ApiOpenRoute } from '../../http/api-problems.decorator.js';
import { ProblemFilter } from '../../http/problem.filter.js';
import { describeAnswer } from '../../openapi/describe.js';
import type { WebRequest } from '../../http/http.types.js';

const CARD_PATH = '.well-known/agent-card.json';

const cardSchema = z
  .looseObject({ name: z.string(), description: z.string(), version: z.string() })
  .meta({ id: 'A2aAgentCard' });

/** Express and Fastify both know how they were addressed, through the proxies that they trust. */
interface AddressedRequest extends WebRequest {
  readonly protocol: string;
  readonly host: string;
}

/** A principal without roles, for the agents that everybody may know: those that require no role. */
const ANYBODY = { userId: '', tenant: '', roles: [] };

/**
 * The agent's card, open to everybody, as A2A wants it. Clients of version 0.3 read other fields of it than those of 1.0, and
 * either pass over what they do not know.
 *
 * @param name of its class, which is the name of its operation in the API's description
 * @param callPath where the calls go, below where the card's path begins
 */
export function agentCardControllerAt(name: string, callPath: string): Type<object> {
  @ApiTags('a2a')
  @Controller()
  class AgentCardController {
    constructor(private readonly agents: AgentRegistry) {}

    @Get(CARD_PATH)
    @UseFilters(ProblemFilter)
    @ApiOperation({ summary: 'Get the agent card (A2A)', security: [] })
    @ApiResponse({ status: 200, description: 'The card.', ...describeAnswer(cardSchema) })
    @ApiOpenRoute()
    card(@Req() request: AddressedRequest): z.output<typeof cardSchema> {
      const { name, description, accepts = [] } = this.agents.choose(ANYBODY, undefined);
      const url = toCallUrl(request, callPath);
      return {
        name,
        description,
        version: '1.0.0',
        supportedInterfaces: [
          { url, protocolBinding: 'JSONRPC', protocolVersion: '1.0' },
          { url, protocolBinding: 'JSONRPC', protocolVersion: '0.3' },
        ],
        url,
        preferredTransport: 'JSONRPC',
        protocolVersion: '0.3.0',
        capabilities: { streaming: true, pushNotifications: false },
        defaultInputModes: [...new Set(['text/plain', 'application/json', ...accepts])],
        defaultOutputModes: ['text/plain', 'application/json'],
        skills: [{ id: name, name, description, tags: ['chat'] }],
        securitySchemes: {
          bearer: { httpAuthSecurityScheme: { scheme: 'bearer' }, type: 'http', scheme: 'bearer' },
        },
      };
    }
  }
  return Object.defineProperty(AgentCardController, 'name', { value: name });
}

/** Below whatever the host has put before our routes, at the address that the client has used. */
function toCallUrl(request: AddressedRequest, callPath: string): string {
  const [path = ''] = request.originalUrl.split('?');
  const root = path.slice(0, path.length - CARD_PATH.length);
  return `${request.protocol}://${request.host}${root}${callPath}`.replace(/\/$/, '');
}
