import { DiscoveryModule } from '@nestjs/core';
import { Test } from '@nestjs/testing';
import { expect, it } from '@jest/globals';
import { ToolExplorer } from '../tool.explorer.js';
import { ToolRegistry } from '../tool.registry.js';
import { LIBRARY_TOOLS } from './tool-library.js';
import { ToolLibraryOptions } from './tool-library.options.js';

it('brings six library tools, each with a label, a description and a time limit', async () => {
  const module = await Test.createTestingModule({
    imports: [DiscoveryModule],
    providers: [
      { provide: ToolLibraryOptions, useValue: { knowledgeDirectory: '.' } },
      ToolRegistry,
      ToolExplorer,
      ...LIBRARY_TOOLS,
    ],
  }).compile();
  await module.init();
  const tools = module.get(ToolRegistry).list();
  expect(tools.map(({ name }) => name)).toEqual([
    'web_search',
    'data_lookup',
    'knowledge_search',
    'http_fetch',
    'calculator',
    'clock',
  ]);
  for (const { label, description, timeoutMs } of tools) {
    expect(label).toBeTruthy();
    expect(description.length).toBeGreaterThan(40);
    expect(timeoutMs).toBeLessThanOrEqual(20_000);
  }
  await module.close();
});
