import { readCalculation, type Calculation } from './demo-arithmetic.js';
import { readCountryQuestion, type CountryQuestion } from './demo-countries.js';
import { findPlaces, type PlaceTime } from './demo-places.js';

/** One thing that a message asks for and that a tool can do. */
export type Intent =
  | ({ readonly kind: 'calculation' } & Calculation)
  | ({ readonly kind: 'time' } & PlaceTime)
  | { readonly kind: 'countries'; readonly question: CountryQuestion }
  | { readonly kind: 'knowledge'; readonly query: string }
  | { readonly kind: 'fetch'; readonly url: string }
  | { readonly kind: 'search'; readonly query: string };

/** More calls at once than this do not help a reader. */
const MOST_INTENTS = 6;

/** The rules look for short questions. What comes after this is not read, so that a huge message costs no time. */
const MOST_LETTERS = 2_000;
/** Maximum letters of a query for search tools. */
const MOST_QUERY_LETTERS = 400;

const FOLLOW_UP = /^(?:and|or|now|then|what about|how about|what of|same for|also|but)\b/i;
const TIME =
  /\btime is it\b|\b(?:what|which|current|local|the|tell me)\b.*\btime\b(?! ?(?:zone setting|out|s\b))|\bwhat(?:'s| is) the date\b|\bwhat day is\b|\btoday's date\b|^time\b/i;
const SEARCH =
  /\b(?:search(?: on| in)? (?:the )?(?:web|internet|net)|search online|web search|google|look (?:it )?up online)\b\s*(?:for|about)?:?\s*(.*)/i;
const NEWS =
  /\b(?:(?:latest|recent|today's|current|breaking)\s+)?(?:news|headlines)\b|\bweather\b|\bforecast\b|\bstock price\b/i;
const PRODUCT =
  /\b(?:streams?|streaming|sse|server-sent|eventsource|resum\w+|reconnect\w*|threads?|runs?|event logs?|event ids?|last-event-id|cursors?|agents?|agent_?tool|tools?|checkpoint\w*|nest ?js|langgraph|langchain|protocols?|configur\w+|settings?|environment variables?|api keys?|jwt|auth\w*|throttl\w+|rate limits?|docker|deploy\w*|prox(?:y|ies)|nginx|storages?|sqlite|postgres\w*|redis|embed\w*|swagger|openapi|idempoten\w+|cancel\w*|approvals?|heartbeats?|wake-?ups?|epochs?|fencing|takeover|documentation|docs|readme|architecture|install\w*|upgrade|(?:this|your) (?:project|product|app|server|service|package|api|library))\b/i;
const FILLERS =
  /^(?:please|how|what|why|where|which|when|who|can|could|does|do|did|is|are|there|explain|describe|tell|show|help|find|me|i|we|you|my|your|this|that|it|a|an|the|to|of|in|on|for|with|about|and|or)$/i;
const ASKS =
  /\?|^(?:please )?(?:how|what|why|where|which|when|who|can|could|does|do|is|are|explain|describe|tell|show|help|find|search|look)\b/i;

/**
 * Returns the intents of a message, in its order, each once. Rules over words: it sees only what it has a rule for.
 *
 * @param previous what the turn before asked for: "and in Paris?" asks the same of another place
 */
export function readIntents(whole: string, previous: readonly Intent[] = []): Intent[] {
  const message = whole.slice(0, MOST_LETTERS);
  const lastCalculation = previous.findLast((intent) => intent.kind === 'calculation');
  const intents = clauses(message).flatMap((clause) => readClause(clause, lastCalculation));
  if (intents.length === 0) intents.push(...readFollowUp(message, previous));
  return distinct(intents).slice(0, MOST_INTENTS);
}

/** The question of the last message of a thread, read with those before it. */
export function readThread(messages: readonly string[]): Intent[] {
  // A message that asks for nothing ("thanks!") does not make one forget what the talk was about.
  let subject: readonly Intent[] = [];
  let intents: Intent[] = [];
  for (const message of messages) {
    intents = readIntents(message, subject);
    if (intents.length > 0) subject = intents;
  }
  return intents;
}

/** Sentences, and questions that "and" ties together. */
function clauses(message: string): string[] {
  return message
    .split(
      /(?<=[?!;.])\s+|\n+|,?\s+and (?:also )?(?=(?:what|which|how|who|where|search|fetch|calculate|compute|tell|show|list)\b)/i,
    )
    .map((clause) => clause.trim())
    .filter(Boolean);
}

function readClause(clause: string, lastCalculation: Calculation | undefined): Intent[] {
  const urls = clause.match(/https?:\/\/[^\s<>"'`]+/g);
  if (urls) return urls.map((url) => ({ kind: 'fetch', url: url.replace(/[),.;:!?\]]+$/, '') }));

  const search = SEARCH.exec(clause);
  if (search) return [{ kind: 'search', query: trimmed(search[1] ?? '') || trimmed(clause) }];
  if (NEWS.test(clause)) return [{ kind: 'search', query: trimmed(clause) }];

  const calculation = readCalculation(clause, lastCalculation);
  if (calculation) return [{ kind: 'calculation', ...calculation }];
  if (TIME.test(clause)) return times(clause);

  const countries = readCountryQuestion(clause);
  if (countries) return [{ kind: 'countries', question: countries }];
  if (PRODUCT.test(clause) && ASKS.test(clause)) return [{ kind: 'knowledge', query: keywords(clause) }];
  return [];
}

/** A message that has no meaning of its own but continues the turn before: short, or begun like a continuation. */
function readFollowUp(message: string, previous: readonly Intent[]): Intent[] {
  const subject = previous.at(-1);
  if (!subject || (!FOLLOW_UP.test(message.trim()) && message.trim().split(/\s+/).length > 4)) return [];
  const rest = trimmed(
    message
      .trim()
      .replace(FOLLOW_UP, '')
      .replace(/^(?:\s*(?:about|in|for|of|at|to|the)\b)+/i, ''),
  );
  switch (subject.kind) {
    case 'time':
      return findPlaces(message).map((place) => ({ kind: 'time', ...place }));
    case 'countries': {
      const question = readCountryQuestion(message, subject.question);
      return question ? [{ kind: 'countries', question }] : [];
    }
    case 'search':
      return rest && FOLLOW_UP.test(message.trim()) ? [{ kind: 'search', query: rest }] : [];
    case 'knowledge':
      return rest && FOLLOW_UP.test(message.trim()) ? [{ kind: 'knowledge', query: keywords(rest) }] : [];
    case 'calculation':
    case 'fetch':
      return [];
  }
}

function times(clause: string): Intent[] {
  const places = findPlaces(clause);
  if (places.length > 0) return places.map((place) => ({ kind: 'time', ...place }));
  const named = /\b(?:in|at|for)\s+([\p{Lu}][\p{L}' -]*)/u.exec(clause)?.[1];
  return [{ kind: 'time', ...(named ? { place: trimmed(named) } : { place: 'UTC', zone: 'UTC' }) }];
}

function trimmed(text: string): string {
  return text.replace(/^[\s,:]+|[\s?!.,;:]+$/g, '').slice(0, MOST_QUERY_LETTERS);
}

/** The words that carry the question: a full-text search ranks "how do I" as if it meant something. */
function keywords(text: string): string {
  const carrying = trimmed(text)
    .split(/\s+/)
    .filter((word) => !FILLERS.test(word));
  return carrying.join(' ') || trimmed(text);
}

function distinct(intents: readonly Intent[]): Intent[] {
  return [...new Map(intents.map((intent) => [JSON.stringify(intent), intent])).values()];
}
