import { Controller, Delete, Get, HttpCode, Post, Put, Query, Req, Res } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { ApiTags } from '@nestjs/swagger';
import type { z } from 'zod';
import { AgentMemory, type MemoryItem } from '../../agents/agent-memory.js';
import { CurrentPrincipal, getAuthentication } from '../../auth/authentication.js';
import type { WebRequest, WebResponse } from '../../http/http.types.js';
import { replyWithJson } from '../../http/reply-with-json.js';
import { SchemaPipe, validate } from '../../http/validate.js';
import type { Principal } from '../../principal.js';
import * as input from './langgraph-store-input.js';
import { LangGraphEndpoint } from './langgraph-endpoint.decorator.js';

/** The items that the caller's graphs remember: `client.store`. Nobody reaches those of another owner. */
@ApiTags('langgraph')
@Controller()
export class LangGraphStoreController {
  constructor(
    private readonly memory: AgentMemory,
    private readonly adapter: HttpAdapterHost,
  ) {}

  @Put('items')
  @HttpCode(204)
  @LangGraphEndpoint({
    summary: 'Store an item (LangGraph)',
    reply: { status: 204, description: 'It is stored.' },
    accepts: input.putItemSchema,
    reads: true,
    problems: ['RUN_LIMIT'],
  })
  async put(@Req() request: WebRequest): Promise<void> {
    const { ttl, index, ...item } = validate(input.putItemSchema, request.body, 'body');
    const { principal } = getAuthentication(request);
    await this.memory.put(principal, { ...item, ttl: ttl ?? undefined, index: index ?? undefined });
  }

  @Get('items')
  @LangGraphEndpoint({
    summary: 'Get an item (LangGraph)',
    description: 'Nothing, with 204, if there is none.',
    reply: { status: 200, description: 'The item.', schema: input.itemSchema },
    query: input.getItemSchema,
    reads: true,
  })
  async get(
    @CurrentPrincipal() principal: Principal,
    @Query(new SchemaPipe(input.getItemSchema)) name: z.output<typeof input.getItemSchema>,
    @Res() response: WebResponse,
  ): Promise<void> {
    const item = await this.memory.get(principal, name);
    replyWithJson(this.adapter, response, item && toLangGraphItem(item));
  }

  @Delete('items')
  @HttpCode(204)
  @LangGraphEndpoint({
    summary: 'Remove an item (LangGraph)',
    reply: { status: 204, description: 'There is no such item now.' },
    accepts: input.deleteItemSchema,
    reads: true,
  })
  async delete(@Req() request: WebRequest): Promise<void> {
    const name = validate(input.deleteItemSchema, request.body, 'body');
    await this.memory.delete(getAuthentication(request).principal, name);
  }

  @Post('items/search')
  @HttpCode(200)
  @LangGraphEndpoint({
    summary: 'Search items (LangGraph)',
    reply: { status: 200, description: 'At most 100.', schema: input.itemListSchema },
    accepts: input.searchItemsSchema,
    reads: true,
  })
  async search(@Req() request: WebRequest): Promise<z.output<typeof input.itemListSchema>> {
    const { namespace_prefix, filter, query, limit, offset } = validate(
      input.searchItemsSchema,
      request.body ?? {},
      'body',
    );
    const found = await this.memory.search(getAuthentication(request).principal, {
      prefix: namespace_prefix ?? [],
      filter: filter ?? undefined,
      query: query ?? undefined,
      limit,
      offset,
    });
    return { items: found.map(toLangGraphItem) };
  }

  @Post('namespaces')
  @HttpCode(200)
  @LangGraphEndpoint({
    summary: 'List the namespaces that have items (LangGraph)',
    reply: { status: 200, description: 'At most 1,000.', schema: input.namespaceListSchema },
    accepts: input.listNamespacesSchema,
    reads: true,
  })
  async namespaces(@Req() request: WebRequest): Promise<z.output<typeof input.namespaceListSchema>> {
    const { prefix, suffix, max_depth, limit, offset } = validate(
      input.listNamespacesSchema,
      request.body ?? {},
      'body',
    );
    const namespaces = await this.memory.listNamespaces(getAuthentication(request).principal, {
      prefix: prefix ?? undefined,
      suffix: suffix ?? undefined,
      maxDepth: max_depth ?? undefined,
      limit,
      offset,
    });
    return { namespaces: namespaces.map((labels) => [...labels]) };
  }
}

function toLangGraphItem({
  namespace,
  key,
  value,
  createdAt,
  updatedAt,
  score,
}: MemoryItem): input.LangGraphItem {
  return {
    namespace: [...namespace],
    key,
    value: { ...value },
    created_at: createdAt.toISOString(),
    updated_at: updatedAt.toISOString(),
    ...(score !== undefined && { score }),
  };
}
