import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';

/** A directory like a team's own project: with these files, and the packages of this one. */
export async function makeGraphProject(
  files: Readonly<Record<string, string>>,
): Promise<{ readonly directory: string; remove(): Promise<void> }> {
  const directory = await mkdtemp(join(tmpdir(), 'project-'));
  await symlink(resolve('node_modules'), join(directory, 'node_modules'));
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(directory, path)), { recursive: true });
    await writeFile(join(directory, path), text);
  }
  return { directory, remove: () => rm(directory, { recursive: true }) };
}

/** Files as LangGraph's templates for TypeScript write them: what Node by itself does not run is in each. */
export const TEMPLATE_FILES = {
  'package.json': '{ "type": "module" }',
  'tsconfig.json': '{ "compilerOptions": { "paths": { "@/*": ["./src/*"] } } }',
  'src/agent/state.ts': `
import { Annotation, MessagesAnnotation } from '@langchain/langgraph';
export enum Mood { Calm = 'calm', Loud = 'loud' }
export interface Greeting { text: string }
export class Greeter {
  constructor(private readonly greeting: Greeting) {}
  greet(): string { return this.greeting.text; }
}
export const State = Annotation.Root({ ...MessagesAnnotation.spec, mood: Annotation<Mood> });
`,
  'src/agent/card.tsx': `
const createElement = (tag: string) => tag;
const React = { createElement };
export const Card = ({ title }: { title: string }) => <b>{title}</b>;
`,
  'src/words.ts': "export const WORDS: string = 'Good day.';",
  'src/agent/graph.ts': `
import { AIMessage } from '@langchain/core/messages';
import type { RunnableConfig } from '@langchain/core/runnables';
import { END, START, StateGraph } from '@langchain/langgraph';
import { Greeter, Greeting, Mood, State } from './state.js';
import { Card } from './card';
import { WORDS } from '@/words';

const greeting: Greeting = { text: Card({ title: '' }) === 'b' ? WORDS : '' };

export const builder = new StateGraph(State)
  .addNode('greet', () => ({ messages: [new AIMessage(new Greeter(greeting).greet())], mood: Mood.Loud }))
  .addEdge(START, 'greet')
  .addEdge('greet', END);
export const graph = builder.compile();
export const makeGraph = async (config: RunnableConfig) => {
  const name = String(config.metadata?.['name']);
  return new StateGraph(State)
    .addNode('greet', () => ({ messages: [new AIMessage('Good day, ' + name + '.')] }))
    .addEdge(START, 'greet');
};
`,
} as const;
