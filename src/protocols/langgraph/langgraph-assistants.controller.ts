import { Controller, Delete, Get, HttpCode, Param, Patch, Post, Req } from '@nestjs/common';
import { ApiParam, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import type { AgentDescription } from '../../agents/agent.js';
import { getAuthentication, CurrentPrincipal } from '../../auth/authentication.js';
import { validate } from '../../http/validate.js';
import type { WebRequest } from '../../http/http.types.js';
import type { Principal } from '../../principal.js';
import { LangGraphEndpoint } from './langgraph-endpoint.decorator.js';
import { LangGraphAssistants } from './langgraph-assistants.js';
import { LangGraphThreadLists } from './langgraph-thread-lists.js';
import {
  countAssistantsSchema,
  createAssistantSchema,
  deleteAssistantSchema,
  latestVersionSchema,
  searchAssistantsSchema,
  subgraphsSchema,
  updateAssistantSchema,
  versionsSchema,
} from './langgraph-assistants-input.js';
import {
  assistantGraphSchema,
  assistantSchema,
  assistantSchemasSchema,
  assistantSubgraphsSchema,
  toAssistantGraph,
  toAssistantSchemas,
  toAssistantSubgraphs,
  type LangGraphAssistant,
  type LangGraphAssistantGraph,
  type LangGraphAssistantSchemas,
  type LangGraphAssistantSubgraphs,
} from './assistant-resources.js';

const ASSISTANT_ID = ApiParam({
  name: 'assistantId',
  description: "The assistant's id, or an agent's name.",
});

const NOTHING_KNOWN: AgentDescription = { nodes: [], edges: [], schemas: {} };

/** Assistants as LangGraph's clients look for them. An agent is one whose id is its name, and so is its graph's. */
@ApiTags('langgraph')
@Controller()
export class LangGraphAssistantsController {
  constructor(
    private readonly assistants: LangGraphAssistants,
    private readonly threads: LangGraphThreadLists,
  ) {}

  @Post()
  @HttpCode(200)
  @LangGraphEndpoint({
    summary: 'Create an assistant of your own (LangGraph)',
    description: 'With `if_exists: do_nothing`, an id that is in use gives the assistant as it is.',
    reply: { status: 200, description: 'The assistant.', schema: assistantSchema },
    accepts: createAssistantSchema,
    reads: true,
    problems: ['AGENT_UNKNOWN', 'ID_TAKEN', 'RUN_LIMIT'],
  })
  create(@Req() request: WebRequest): Promise<LangGraphAssistant> {
    const body = validate(createAssistantSchema, request.body, 'body');
    return this.assistants.create(getAuthentication(request).principal, body);
  }

  @Post('search')
  @HttpCode(200)
  @LangGraphEndpoint({
    summary: 'List the agents that you can use, and your assistants (LangGraph)',
    reply: { status: 200, description: 'Assistants.', schema: z.array(assistantSchema) },
    accepts: searchAssistantsSchema,
    reads: true,
  })
  search(@Req() request: WebRequest): Promise<LangGraphAssistant[]> {
    const query = validate(searchAssistantsSchema, request.body ?? {}, 'body');
    return this.assistants.search(getAuthentication(request).principal, query);
  }

  @Post('count')
  @HttpCode(200)
  @LangGraphEndpoint({
    summary: 'Count the agents that you can use, and your assistants (LangGraph)',
    reply: { status: 200, description: 'Their number.', schema: z.int() },
    accepts: countAssistantsSchema,
    reads: true,
  })
  count(@Req() request: WebRequest): Promise<number> {
    const filter = validate(countAssistantsSchema, request.body ?? {}, 'body');
    return this.assistants.count(getAuthentication(request).principal, filter);
  }

  @Get(':assistantId')
  @ASSISTANT_ID
  @LangGraphEndpoint({
    summary: 'Get an assistant (LangGraph)',
    reply: { status: 200, description: 'The assistant.', schema: assistantSchema },
    reads: true,
    problems: ['NOT_FOUND'],
  })
  get(
    @CurrentPrincipal() principal: Principal,
    @Param('assistantId') assistantId: string,
  ): Promise<LangGraphAssistant> {
    return this.assistants.get(principal, assistantId);
  }

  @Patch(':assistantId')
  @ASSISTANT_ID
  @LangGraphEndpoint({
    summary: 'Change an assistant (LangGraph)',
    description:
      'What is absent stays, and so do metadata of other names. The change is a version of its own.',
    reply: { status: 200, description: 'The assistant.', schema: assistantSchema },
    accepts: updateAssistantSchema,
    reads: true,
    problems: ['NOT_FOUND', 'FORBIDDEN', 'AGENT_UNKNOWN', 'RUN_LIMIT'],
  })
  update(@Req() request: WebRequest, @Param('assistantId') assistantId: string): Promise<LangGraphAssistant> {
    const body = validate(updateAssistantSchema, request.body ?? {}, 'body');
    return this.assistants.update(getAuthentication(request).principal, assistantId, body);
  }

  @Delete(':assistantId')
  @HttpCode(204)
  @ASSISTANT_ID
  @LangGraphEndpoint({
    summary: 'Delete an assistant (LangGraph)',
    reply: { status: 204, description: 'It is gone.' },
    query: deleteAssistantSchema,
    problems: ['NOT_FOUND', 'FORBIDDEN', 'THREAD_BUSY'],
  })
  async delete(@Req() request: WebRequest, @Param('assistantId') assistantId: string): Promise<void> {
    const { delete_threads: isWhole } = validate(deleteAssistantSchema, request.query, 'query');
    const { principal } = getAuthentication(request);
    await this.assistants.refuseDeletion(principal, assistantId);
    // The assistant last: if a thread cannot be deleted yet, the same request does the rest.
    if (isWhole === 'true') await this.threads.deleteAll(principal, { assistant_id: assistantId });
    await this.assistants.delete(principal, assistantId);
  }

  @Post(':assistantId/versions')
  @HttpCode(200)
  @ASSISTANT_ID
  @LangGraphEndpoint({
    summary: 'List the versions of an assistant, the newest first (LangGraph)',
    reply: { status: 200, description: 'Versions.', schema: z.array(assistantSchema) },
    accepts: versionsSchema,
    reads: true,
    problems: ['NOT_FOUND'],
  })
  versions(
    @Req() request: WebRequest,
    @Param('assistantId') assistantId: string,
  ): Promise<LangGraphAssistant[]> {
    const query = validate(versionsSchema, request.body ?? {}, 'body');
    return this.assistants.listVersions(getAuthentication(request).principal, assistantId, query);
  }

  @Post(':assistantId/latest')
  @HttpCode(200)
  @ASSISTANT_ID
  @LangGraphEndpoint({
    summary: 'Choose the version of an assistant that counts (LangGraph)',
    reply: { status: 200, description: 'The assistant.', schema: assistantSchema },
    accepts: latestVersionSchema,
    reads: true,
    problems: ['NOT_FOUND', 'FORBIDDEN'],
  })
  setLatest(
    @Req() request: WebRequest,
    @Param('assistantId') assistantId: string,
  ): Promise<LangGraphAssistant> {
    const { version } = validate(latestVersionSchema, request.body, 'body');
    return this.assistants.setLatest(getAuthentication(request).principal, assistantId, version);
  }

  @Get(':assistantId/graph')
  @ASSISTANT_ID
  @LangGraphEndpoint({
    summary: "Get the nodes and edges of an agent's graph (LangGraph)",
    reply: { status: 200, description: 'Empty if they are unknown.', schema: assistantGraphSchema },
    problems: ['NOT_FOUND'],
  })
  async graph(
    @CurrentPrincipal() principal: Principal,
    @Param('assistantId') assistantId: string,
  ): Promise<LangGraphAssistantGraph> {
    return toAssistantGraph(await this.describe(principal, assistantId, { hasSchemas: false }));
  }

  @Get(':assistantId/schemas')
  @ASSISTANT_ID
  @LangGraphEndpoint({
    summary: 'Get the schemas of what an agent takes and gives (LangGraph)',
    reply: { status: 200, description: 'Null for those that are unknown.', schema: assistantSchemasSchema },
    problems: ['NOT_FOUND'],
  })
  async schemas(
    @CurrentPrincipal() principal: Principal,
    @Param('assistantId') assistantId: string,
  ): Promise<LangGraphAssistantSchemas> {
    const { name, ...description } = await this.describe(principal, assistantId);
    return toAssistantSchemas(name, description);
  }

  @Get(':assistantId/subgraphs')
  @ASSISTANT_ID
  @LangGraphEndpoint({
    summary: "List the graphs inside an agent's graph, with their schemas (LangGraph)",
    reply: { status: 200, description: 'By the names of the nodes.', schema: assistantSubgraphsSchema },
    query: subgraphsSchema,
    problems: ['NOT_FOUND'],
  })
  async subgraphs(
    @Req() request: WebRequest,
    @Param('assistantId') assistantId: string,
  ): Promise<LangGraphAssistantSubgraphs> {
    const { recurse } = validate(subgraphsSchema, request.query, 'query');
    const description = await this.describe(getAuthentication(request).principal, assistantId);
    return toAssistantSubgraphs(description, { isRecursive: recurse === 'true' });
  }

  @Get(':assistantId/subgraphs/:namespace')
  @ASSISTANT_ID
  @LangGraphEndpoint({
    summary: "Get a graph inside an agent's graph, with its schemas (LangGraph)",
    reply: { status: 200, description: 'Empty if there is none.', schema: assistantSubgraphsSchema },
    query: subgraphsSchema,
    problems: ['NOT_FOUND'],
  })
  async subgraph(
    @CurrentPrincipal() principal: Principal,
    @Param('assistantId') assistantId: string,
    @Param('namespace') namespace: string,
  ): Promise<LangGraphAssistantSubgraphs> {
    return toAssistantSubgraphs(await this.describe(principal, assistantId), { namespace });
  }

  private async describe(principal: Principal, assistantId: string, wanted = { hasSchemas: true }) {
    const agent = await this.assistants.getAgent(principal, assistantId);
    return { name: agent.name, ...((await agent.describe?.(principal, wanted)) ?? NOTHING_KNOWN) };
  }
}
