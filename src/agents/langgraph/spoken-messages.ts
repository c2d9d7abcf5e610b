import { describeParts } from './message-parts.js';
import { ALL_MESSAGES, isUnsaid, readMessage, type WrittenMessage } from './message-shape.js';
import type { Namespace, TextChunk } from './graph-fact.js';
import { getStepId, listSteps } from './named-steps.js';
import type { RecalledWords } from './recalled-words.js';

/** A message of this run, and what people were told of it. */
interface Spoken {
  /** Its ids: the model's, and one that its graph has given it. */
  readonly ids: Set<string>;
  /** The objects that stood for it so far; the reducer gives them their ids later. */
  readonly objects: Set<object>;
  readonly namespace: Namespace;
  /** The node that said it first, wherever it was changed since. */
  readonly origin: Namespace;
  readonly words: TextChunk;
  /** It is not emitted, and will not be when a node returns it. */
  readonly silent: boolean;
  /** A model has said it, and no node has returned it so far. */
  isLoose: boolean;
  /** People are not told yet. */
  isHeld: boolean;
  /** An earlier owner of the run has said it. */
  readonly isRecalled?: boolean;
  /** It was put together from the log alone: a file beside its text may be another message's. */
  readonly isGuessed?: boolean;
}

/** A correction after which people see what the graph's state says. */
export type Correction =
  | { readonly kind: 'say'; readonly words: TextChunk }
  /** Supersedes the output of the step; `kept` is the part that is emitted again. */
  | { readonly kind: 'take-back'; readonly namespace: Namespace; readonly kept: readonly TextChunk[] };

/**
 * The messages of a run, known by their ids as LangGraph's reducer knows them. A model says a message first, and a node returns it
 * afterwards: as it is, without its id, changed, or not at all; other nodes hand it on, change it or remove it. This is where one is told from another.
 */
export class SpokenMessages {
  private spoken: Spoken[] = [];
  /** The ids of the messages that were there before the run began, whoever owned it then. */
  private earlier: ReadonlySet<string | undefined> = new Set();
  /** The messages of this answer that were stored before this owner began. */
  private stored: ReadonlyMap<string, TextChunk> = new Map();

  /**
   * @param history the messages that were in the thread before, by their ids, or themselves if they have none
   * @param holds people are told only what {@link release} gives free
   */
  constructor(
    private readonly history: ReadonlySet<unknown>,
    readonly holds = false,
  ) {}

  /** A model has ended its message. */
  heard(message: {
    readonly namespace: Namespace;
    readonly ids: readonly (string | undefined)[];
    readonly words: TextChunk;
    readonly silent: boolean;
  }): void {
    const { namespace, words, silent } = message;
    const ids = new Set(message.ids.filter((id) => id !== undefined));
    this.spoken.push({
      ids,
      objects: new Set(),
      namespace,
      origin: namespace,
      words,
      silent,
      isLoose: true,
      isHeld: this.holds,
    });
  }

  /**
   * Learns which messages of the thread are older than the run, of which an earlier owner has stored some.
   *
   * @param later the others
   */
  recallEarlier(ids: ReadonlySet<string | undefined>, later: readonly unknown[] = []): void {
    this.earlier = ids;
    const messages = later.flatMap((like) => readMessage(like) ?? []);
    this.stored = new Map(messages.flatMap(({ id, words }) => (id === undefined ? [] : [[id, words]])));
  }

  /** An earlier owner of the run has said this in a step, of which only the id is known. */
  recalled(stepId: string, { words, isStored }: RecalledWords): void {
    const namespace = `:${stepId}`;
    this.spoken.push({
      ids: new Set(),
      objects: new Set(),
      namespace,
      origin: namespace,
      words,
      silent: false,
      isLoose: false,
      isHeld: false,
      isRecalled: true,
      isGuessed: !isStored,
    });
  }

  /** The messages of this run's own that an earlier owner of it has stored, and that people were never told because they were held back. */
  recallHeld(messages: readonly WrittenMessage[], stepId: string): void {
    if (!this.holds) return;
    const known = new Set(this.spoken.flatMap(({ ids }) => [...ids]));
    for (const { type, id, words } of messages) {
      if (type !== 'ai' || id === undefined || known.has(id)) continue;
      const namespace = `:${stepId}`;
      this.spoken.push({
        ids: new Set([id]),
        objects: new Set(),
        namespace,
        origin: namespace,
        words,
        silent: false,
        isLoose: false,
        isHeld: true,
      });
    }
  }

  /**
   * Returns the text that was held back and may be emitted now. @param before only that of the node which comes here again, in another step: by
   * then what checks it has run
   */
  release(before?: Namespace): readonly { readonly stepId: string; readonly words: TextChunk }[] {
    const place = before === undefined ? undefined : pathIn(before);
    const stepId = before === undefined ? undefined : getStepId(before);
    const free = this.spoken.filter(
      ({ isHeld, origin }) =>
        isHeld && (place === undefined || (pathIn(origin) === place && getStepId(origin) !== stepId)),
    );
    for (const each of free) each.isHeld = false;
    return free
      .filter(({ silent, words }) => !silent && !isUnsaid(words))
      .map(({ namespace, words }) => ({ stepId: getStepId(namespace), words }));
  }

  /** The step is done over, and says everything again. */
  forget(stepId: string): void {
    this.spoken = this.spoken.filter((each) => !isWithin(each, stepId));
  }

  /** Learns from a checkpoint which ids the reducer has given to what was said. */
  learn(state: unknown): void {
    if (
      !Array.isArray(state) ||
      this.spoken.every(
        // What was only a task's write when it was read may get another id in the checkpoint.
        ({ isLoose, isRecalled, objects, ids }) =>
          isLoose || (!isRecalled && objects.size === 0 && ids.size > 0),
      )
    )
      return;
    for (const each of this.spoken) learnIds(each);
    const known = new Set(this.spoken.flatMap(({ ids }) => [...ids]));
    const messages = state.flatMap((like: unknown) => readMessage(like) ?? []);
    const there = new Set(messages.map(({ id }) => id));
    for (const { type, id, words } of messages) {
      if (type !== 'ai' || id === undefined || known.has(id)) continue;
      const meant = this.spoken.find(
        (each) =>
          !each.isLoose &&
          saysAlike(each, words) &&
          // What was there before may come from an earlier owner of this run.
          !(each.isRecalled ? this.earlier : this.history).has(id) &&
          ![...each.ids].some((one) => there.has(one)),
      );
      meant?.ids.add(id);
    }
    for (const each of this.spoken) if (!each.isLoose && each.ids.size > 0) each.objects.clear();
  }

  /** Compares what a step has written with what people were told. */
  settle(messages: readonly WrittenMessage[], namespace: Namespace): Correction[] {
    const stepId = getStepId(namespace);
    for (const each of this.spoken) learnIds(each);
    return messages.flatMap((message) => {
      if (message.type === 'remove') return this.remove(message.id);
      if (message.type !== 'ai') return [];
      const known = this.find(message, stepId);
      if (!known) return this.isOld(message) ? [] : this.say(message, namespace);
      known.isLoose = false;
      known.objects.add(message.source);
      learnIds(known);
      if (isSame(known, message.words) || known.silent) return [];
      return [...this.takeBack(known), ...this.say(message, namespace, known.origin)];
    });
  }

  /**
   * True for a message that was there before and is as it was. An earlier owner of the run may have withdrawn its words to replace them, and died: then they
   * are no longer known here, and what replaces them is still to be said.
   */
  private isOld({ id, words, source }: WrittenMessage): boolean {
    // One without an id has been given its first one by the reducer.
    if (this.history.has(source)) return true;
    if (id === undefined || !this.history.has(id)) return false;
    const stored = this.stored.get(id);
    return stored === undefined || (stored.text === words.text && countParts(stored) === countParts(words));
  }

  private find({ id, source, words }: WrittenMessage, stepId: string): Spoken | undefined {
    const named =
      this.spoken.find((each) => each.objects.has(source)) ??
      (id === undefined ? undefined : this.spoken.find(({ ids }) => ids.has(id)));
    if (named) return named;
    const saysThis = this.spoken.filter((each) => saysAlike(each, words));
    const loose = saysThis.filter((each) => each.isLoose);
    // What a model has just said, returned in words of the node's own making: by its own node, or by one that it was left for.
    const left = loose.find((each) => isWithin(each, stepId)) ?? loose[0];
    if (left || id === undefined || this.history.has(id)) return left;
    // What was said inside, in a graph that keeps no checkpoints, before that gave it an id; or by an earlier owner of the run.
    return saysThis.find(
      (each) =>
        each.ids.size === 0 &&
        (each.isRecalled || (isWithin(each, stepId) && getStepId(each.namespace) !== stepId)),
    );
  }

  private say({ id, source, words }: WrittenMessage, namespace: Namespace, origin = namespace): Correction[] {
    const said = { ...words, reasoning: '' };
    if (isUnsaid(said)) return [];
    const ids = new Set(id === undefined ? [] : [id]);
    this.spoken.push({
      ids,
      objects: new Set([source]),
      namespace,
      origin,
      words: said,
      silent: false,
      isLoose: false,
      isHeld: this.holds,
    });
    return this.holds ? [] : [{ kind: 'say', words: said }];
  }

  /** All that a graph removes at once is what its model is no longer to read: people have read it, and keep it. */
  private remove(id: string | undefined): Correction[] {
    const known =
      id === undefined || id === ALL_MESSAGES ? undefined : this.spoken.find(({ ids }) => ids.has(id));
    return known ? this.takeBack(known) : [];
  }

  private takeBack(gone: Spoken): Correction[] {
    this.spoken = this.spoken.filter((each) => each !== gone);
    if (gone.isHeld || gone.silent || isUnsaid(gone.words)) return [];
    const stepId = getStepId(gone.namespace);
    const kept = this.spoken.filter(
      (each) => !each.silent && !each.isHeld && getStepId(each.namespace) === stepId,
    );
    return [{ kind: 'take-back', namespace: gone.namespace, kept: kept.map(({ words }) => words) }];
  }
}

/** In this step, or in one inside it. */
function isWithin({ namespace }: Spoken, stepId: string): boolean {
  return listSteps(namespace).some((step) => step.stepId === stepId);
}

/** True if the text is the same, and the files and sources too, as far as they are known. */
function isSame(spoken: Spoken, words: TextChunk): boolean {
  if (!saysAlike(spoken, words)) return false;
  return spoken.isGuessed === true || describeParts(spoken.words) === describeParts(words);
}

/** True if the text and the number of parts beside it are the same. Of a message that was guessed, the text is what is known. */
function saysAlike({ words: own, isGuessed = false }: Spoken, words: TextChunk): boolean {
  if (own.text !== words.text) return false;
  return (isGuessed && own.text !== '') || countParts(own) === countParts(words);
}

function countParts({ parts = [] }: TextChunk): number {
  return parts.length;
}

/** The nodes of a place, whichever their tasks are. */
function pathIn(namespace: Namespace): string {
  return listSteps(namespace)
    .map(({ name }) => name)
    .join('|');
}

/** The reducer has numbered the objects since. */
function learnIds({ ids, objects }: Spoken): void {
  for (const object of objects) {
    const { id } = object as { readonly id?: unknown };
    if (typeof id === 'string') ids.add(id);
  }
}
