import { nameOption } from '../option-names.js';
import { writeFiles, type DemoFile } from './demo-files.js';
import type { Gap } from './demo.planner.js';
import { writeResult, type ToolOutcome } from './demo-results.js';
import { findRole, type BoundTool, type ToolRole } from './demo-tools.js';

/** Facts for the text of the demo model. */
export interface AnswerInput {
  readonly message: string;
  /** The files of the message. Default: none. */
  readonly files?: readonly DemoFile[];
  readonly outcomes: readonly ToolOutcome[];
  readonly gaps: readonly Gap[];
  readonly tools: readonly BoundTool[];
  /** The first answer of a thread says who writes. */
  readonly isFirst: boolean;
}

const WHO =
  'I am the **offline demo model**: fixed rules that pick a tool by the words of your question. I have no knowledge of my own, ' +
  'and the same thread always gets the same words.';

const GREETING = /^(?:hi|hello|hey|good (?:morning|afternoon|evening|day)|servus|greetings)\b/i;
const IDENTITY =
  /\b(?:who|what) are you\b|\bwhat can you do\b|\bwhich model\b|\bwhat model\b|\bare you (?:an? )?(?:real|ai|bot|human|llm|gpt|chatgpt|claude)|\bwhat (?:else )?do you know\b|^help\b/i;
const THANKS = /^(?:thanks|thank you|thx|great|perfect|cool|nice|ok|okay)\b/i;

/** An example for each role, which a person can send as it is. */
const EXAMPLES: Readonly<Record<ToolRole, string>> = {
  calculator: 'What is 17% of 3,482?',
  clock: 'What time is it in Tokyo?',
  lookup: 'Which countries border Austria and what are their capitals?',
  knowledge: 'How do I resume a stream?',
  search: 'Search the web for server-sent events',
  fetch: 'Fetch https://example.com',
};

/** Returns how to have a real model, by the names of options or of settings. */
function writeRealModel(): string {
  const [spec, key] = [nameOption('spec of createModel'), nameOption('apiKey of createModel')];
  return (
    `For a real model, set \`${spec}\` to \`openai:<model>\` or \`anthropic:<model>\`, with the provider's key in \`${key}\`, or to ` +
    '`ollama:<model>`, and start the server again.'
  );
}

function writeSignature(): string {
  return `*Written by the offline demo model. Set \`${nameOption('spec of createModel')}\` to \`openai:<model>\` for a real one.*`;
}

/** The answer to a message, in Markdown. The same input always gives the same words. */
export function writeAnswer(input: AnswerInput): string {
  const parts = [
    ...writeFiles(input.files ?? []),
    ...input.outcomes.map(writeResult),
    ...input.gaps.map(writeGap),
  ];
  if (parts.length === 0) return writeTalk(input);
  return [...parts, ...(input.isFirst ? [writeSignature()] : [])].join('\n\n');
}

/** An answer without tools. */
function writeTalk({ message, tools, isFirst }: AnswerInput): string {
  const text = message.trim();
  if (IDENTITY.test(text)) return [WHO, writeExamples(tools), writeRealModel()].join('\n\n');
  if (GREETING.test(text)) return [`Hello! ${WHO}`, writeExamples(tools), writeRealModel()].join('\n\n');
  if (THANKS.test(text)) return 'You are welcome. Ask something else, or go on with the same subject.';
  const sorry = 'I have no rule for this question, and I will not make up an answer.';
  return [sorry, writeExamples(tools), isFirst ? writeSignature() : ''].filter(Boolean).join('\n\n');
}

function writeExamples(tools: readonly BoundTool[]): string {
  const roles = [...new Set(tools.map(findRole))].filter((role) => role !== undefined);
  if (roles.length === 0) return 'No tools are connected that I know how to use.';
  return [
    'With the tools that are connected, try for example:',
    '',
    ...roles.map((role) => `- ${EXAMPLES[role]}`),
  ].join('\n');
}

function writeGap(gap: Gap): string {
  switch (gap.reason) {
    case 'no-tool':
      return `${NEEDED[gap.role]} No such tool is connected to this agent, so I cannot answer that part.`;
    case 'many-zones':
      return `${gap.place} has more than one time zone. Name a city there.`;
    case 'unknown-place':
      return `I do not know the time zone of ${gap.place}. Name a larger city near it, or a zone such as Europe/Vienna.`;
    case 'no-population':
      return 'The connected data holds no population figures.';
  }
}

const NEEDED: Readonly<Record<ToolRole, string>> = {
  calculator: 'That needs a calculator.',
  clock: 'That needs a clock.',
  lookup: 'That needs a database of countries.',
  knowledge: 'That needs a search in the documentation.',
  search: 'That needs a web search.',
  fetch: 'That needs a tool that fetches web pages.',
};
