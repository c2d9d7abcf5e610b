import { Controller, Get, Req, UseFilters, type Type } from '@nestjs/common';
import { ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { AgentRegistry } from '../../agents/agent.registry.js';
import { ProblemFilter } from '../../http/problem.filter.js';
import type { WebRequest } from '../../http/web.exchange.js';

const CARD_PATH = '.well-known/agent-card.json';

const cardSchema = z
  .looseObject({ name: z.string(), description: z.string(), version: z.string() })
  .meta({ id: 'A2aAgentCard' });

/** Express and Fastify both know how they were addressed, through the proxies that they trust. */
interface AddressedRequest extends WebRequest {
  readonly protocol: string;
  readonly host: string;
}

/** What anybody may know: the agents that ask for no role. */
const ANYBODY = { userId: '', tenant: '', roles: [] };

/**
 * The agent's card, open to everybody, as A2A wants it. Clients of version 0.3 read other fields of it than those of 1.0, and
 * either pass over what they do not know.
 *
 * @param callPath where the calls go, below where the card's path begins
 */
export function agentCardControllerAt(callPath: string): Type<object> {
  @ApiTags('a2a')
  @Controller()
  class AgentCardController {
    constructor(private readonly agents: AgentRegistry) {}

    @Get(CARD_PATH)
    @UseFilters(ProblemFilter)
    @ApiOperation({ summary: "The agent's card, for A2A" })
    @ApiResponse({ status: 200, description: 'The card.', standardSchema: cardSchema })
    card(@Req() request: AddressedRequest): z.output<typeof cardSchema> {
      const { name, description } = this.agents.choose(ANYBODY, undefined);
      const url = callUrlOf(request, callPath);
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
        defaultInputModes: ['text/plain', 'application/json'],
        defaultOutputModes: ['text/plain', 'application/json'],
        skills: [{ id: name, name, description, tags: ['chat'] }],
        securitySchemes: {
          bearer: { httpAuthSecurityScheme: { scheme: 'bearer' }, type: 'http', scheme: 'bearer' },
        },
      };
    }
  }
  return AgentCardController;
}

/** Below whatever the host has put before our routes, at the address that the client has used. */
function callUrlOf(request: AddressedRequest, callPath: string): string {
  const [path = ''] = request.originalUrl.split('?');
  const root = path.slice(0, path.length - CARD_PATH.length);
  return `${request.protocol}://${request.host}${root}${callPath}`.replace(/\/$/, '');
}
