import { getFields } from './schema-fields.js';

/** The words that a value is usually asked with. */
const QUESTIONS = ['message', 'question', 'prompt', 'description', 'title'];

/** Returns the question to show: the asker's own words if it has some. Those of an MCP server are a stranger's, so its tool is named. */
export function getQuestion({ kind, label, message, toolName, value }) {
  if (kind === 'client-tool') return label;
  if (kind === 'elicitation') return `${toolName} asks: ${message}`;
  if (typeof value === 'string') return value;
  const words = QUESTIONS.map((name) => value?.[name]).find((text) => typeof text === 'string' && text);
  const calls = value?.actionRequests?.map?.(({ description, name }) => description ?? name).join('\n\n');
  return words ?? calls ?? 'The agent asks';
}

/** Returns the details that are shown beside the question. Nothing where the question is all that there is. */
export function getDetails(part) {
  const { kind, input, schema, value } = part;
  if (kind === 'client-tool') return input;
  // The form says it all.
  if (kind === 'elicitation') return getFields(schema) ? undefined : schema;
  return typeof value === 'string' ? schema : leaveOutShown(part);
}

/** Leaves out the words of the question, and choices that are shown as they are. */
function leaveOutShown(part) {
  const { value } = part;
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  const words = QUESTIONS.find((name) => typeof value[name] === 'string' && value[name]);
  const choices = ['options', 'choices'].find((name) => Array.isArray(value[name]));
  const shown = getChoices(part).map(({ label }) => label);
  const isShown = value[choices]?.every(
    (option) => typeof option !== 'object' && shown.includes(String(option)),
  );
  const rest = Object.entries(value).filter(([name]) => name !== words && !(isShown && name === choices));
  return rest.length > 0 ? Object.fromEntries(rest) : undefined;
}

/** The answers that somebody can give by a click, each with its value. */
export function getChoices({ value, schema }) {
  const { actionRequests, reviewConfigs } = value ?? {};
  // LangChain's human-in-the-loop middleware. Of several calls at once, the answer has to be written.
  if (Array.isArray(actionRequests) && actionRequests.length === 1) {
    const allowed = reviewConfigs?.[0]?.allowedDecisions ?? ['approve', 'reject'];
    return ['approve', 'reject']
      .filter((type) => allowed.includes(type))
      .map((type) => ({
        label: type === 'approve' ? 'Approve' : 'Reject',
        value: { decisions: [{ type }] },
      }));
  }
  if (value?.type === 'breakpoint') return [{ label: 'Go on', value: true }];
  if (schema?.type === 'boolean') return [choice('Yes', true), choice('No', false)];
  const options = schema?.enum ?? value?.options ?? value?.choices;
  return Array.isArray(options) ? options.map(toChoice) : [];
}

function toChoice(option) {
  if (typeof option !== 'object' || option === null) return choice(String(option), option);
  const { label, title, name, value, id } = option;
  return choice(String(label ?? title ?? name ?? JSON.stringify(option)), value ?? id ?? option);
}

function choice(label, value) {
  return { label, value };
}

/** Parses a written answer as JSON, unless it is not JSON or the schema asks for text; then returns the text as it stands. */
export function readAnswer(text, { schema }) {
  if (schema?.type === 'string') return text;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
