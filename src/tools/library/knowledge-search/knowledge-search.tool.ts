import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { z } from 'zod';
import { AppError } from '../../../errors.js';
import { nameOption } from '../../../option-names.js';
import { AgentTool } from '../../agent-tool.decorator.js';
import { ToolLibraryOptions } from '../tool-library.options.js';
import { KnowledgeIndex, type KnowledgeHit } from './knowledge-index.js';

const INPUT = z.object({
  query: z.string().trim().min(1).max(400).describe('The words to look for; all languages, no operators.'),
  maxResults: z.int().min(1).max(10).default(5),
});

export interface KnowledgeSearchOutput {
  readonly results: readonly KnowledgeHit[];
}

@Injectable()
export class KnowledgeSearchTool implements OnApplicationShutdown {
  readonly #index: KnowledgeIndex;

  constructor(options: ToolLibraryOptions) {
    this.#index = new KnowledgeIndex(options.knowledgeDirectory);
  }

  /** @throws AppError `TOOL_NOT_CONFIGURED` when the folder cannot be read */
  @AgentTool({
    name: 'knowledge_search',
    label: 'Searching the documents…',
    description:
      'Search the documents of this application by words. Gives the file, the heading and the text of the best sections; ' +
      'name the file when you use one.',
    input: INPUT,
    timeoutMs: 15_000,
  })
  async search({ query, maxResults }: z.output<typeof INPUT>): Promise<KnowledgeSearchOutput> {
    try {
      return { results: await this.#index.search(query, maxResults) };
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).syscall === undefined) throw cause;
      throw new AppError(
        'TOOL_NOT_CONFIGURED',
        `The folder of documents cannot be read. Check ${nameOption('knowledgeDirectory of ToolLibraryOptions')}.`,
        { cause },
      );
    }
  }

  onApplicationShutdown(): void {
    this.#index.close();
  }
}
