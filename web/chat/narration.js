import { getText } from '../../events/run-view.js';
import { closed, plainLabel, toolOutcome } from './sentences.js';
import { duration } from '../dom/format.js';

/**
 * The sentences that a screen reader says of a run: each tool's start and end, whole sentences of the answer, and the outcome. Never
 * single tokens.
 */
export class Narration {
  #runId;
  #read = 0;

  /** @returns the sentences to say at the step from one view of a run to its next */
  step(before, after) {
    if (this.#runId !== after.runId) {
      this.#runId = after.runId;
      // What a reader finds on the page already is theirs to read.
      this.#read = getSpoken(before).length;
    }
    return [...toolSentences(before, after), ...this.#answer(after), ...ending(before, after)];
  }

  #answer(view) {
    const text = getSpoken(view);
    // After a reset there may be less than was read before.
    this.#read = Math.min(this.#read, text.length);
    const fresh = text.slice(this.#read);
    const ended = view.status !== 'running';
    const end = ended ? fresh.length : lastSentenceEnd(fresh);
    if (end === 0) return [];
    this.#read += end;
    return [plainText(fresh.slice(0, end))].filter(Boolean);
  }
}

function toolSentences(before, after) {
  if (before.parts === after.parts) return [];
  const known = new Map(before.parts.map((part) => [part.toolCallId, part]));
  return after.parts.flatMap((part) => {
    if (part.kind !== 'tool' || known.get(part.toolCallId) === part) return [];
    const was = known.get(part.toolCallId);
    if (part.outcome && !was?.outcome) {
      return [
        `${plainLabel(part.label)}: ${toolOutcome(part.outcome)} in ${duration(part.durationMs ?? 0)}.`,
      ];
    }
    return was ? [] : [closed(part.label)];
  });
}

function ending(before, after) {
  if (before.status === after.status) return [];
  switch (after.status) {
    case 'completed':
      return ['The answer is complete.'];
    case 'failed':
      return [`The answer failed. ${after.error?.message ?? ''}`];
    case 'cancelled':
      return ['Stopped.'];
    case 'awaiting-input':
      return ['The agent waits for a decision.'];
    default:
      return [];
  }
}

/** Returns the text of an answer with a word in place of each block of code, which is hard to follow by ear. */
function getSpoken(view) {
  return getText(view).replace(/^ {0,3}(```|~~~)[\s\S]*?(?:^ {0,3}\1[`~]*\s*$|(?![\s\S]))/gm, 'Code.\n');
}

function lastSentenceEnd(text) {
  const ends = [...text.matchAll(/[.!?…:]\s|\n/g)];
  const last = ends.at(-1);
  return last ? last.index + last[0].length : 0;
}

/** Without the marks of Markdown, which would be read out. */
function plainText(markdown) {
  return (
    markdown
      .replace(/!?\[([^\]]*)\]\([^)]*\)/g, '$1')
      .replace(/[*`#|]+/g, '')
      // Not those inside a name or a formula.
      .replace(/(^|\s)[_>]+(?=\S)|_+(?=[\s.,;:!?)]|$)/g, '$1')
      .replace(/\s+/g, ' ')
      .trim()
  );
}
