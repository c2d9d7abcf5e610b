import type { Provider } from '@nestjs/common';
import { CalculatorTool } from './calculator/calculator.tool.js';
import { ClockTool } from './clock.tool.js';
import { DataLookupTool } from './data-lookup/data-lookup.tool.js';
import { HttpFetchTool } from './http-fetch/http-fetch.tool.js';
import { KnowledgeSearchTool } from './knowledge-search/knowledge-search.tool.js';
import { WebSearchTool } from './web-search/web-search.tool.js';

/** The tools that come with this package. They need a provider of `ToolLibraryOptions` beside them. */
export const LIBRARY_TOOLS: readonly Provider[] = [
  WebSearchTool,
  DataLookupTool,
  KnowledgeSearchTool,
  HttpFetchTool,
  CalculatorTool,
  ClockTool,
];
