/** Read-only helpers for SQL text. They look at words, not at grammar: what a statement may do is decided by the database. */

type Token = { readonly kind: 'word' | 'name' | 'literal' | 'sign'; readonly text: string };

// Comments and texts come first, so that nothing inside them is taken for SQL. Each alternative is linear.
const LEXEME =
  /--[^\n]*|\/\*[\s\S]*?(?:\*\/|$)|'(?:[^']|'')*(?:'|$)|(\$\w*\$)[\s\S]*?(?:\1|$)|"((?:[^"]|"")*)(?:"|$)|`([^`]*)(?:`|$)|\[([^\]]*)(?:\]|$)|([\p{L}_][\p{L}\p{N}_$]*)|\d[\w.]*|\S/gu;

/** Removes one trailing semicolon. @throws Error, written for the model, when there is more than one statement or none */
export function singleStatement(sql: string): string {
  const tokens = [...sql.matchAll(LEXEME)].filter(
    ([text]) => !text.startsWith('--') && !text.startsWith('/*'),
  );
  const first = tokens.findIndex(([text]) => text === ';');
  const statement = first === -1 ? sql : sql.slice(0, tokens[first]!.index);
  if (first !== -1 && first < tokens.length - 1) throw new Error('Send one statement per call.');
  if (tokens.length === 0 || first === 0) throw new Error('The statement is empty.');
  return statement.trim();
}

/** True for a statement that begins as queries do. It may still write: `WITH … DELETE`. */
export function beginsLikeQuery(sql: string): boolean {
  for (const [text] of sql.matchAll(LEXEME)) {
    if (text.startsWith('--') || text.startsWith('/*')) continue;
    return ['select', 'values', 'with'].includes(text.toLowerCase());
  }
  return false;
}

/**
 * Names of the tables that a query reads, each once, lower case, without the names it defines itself by WITH. It looks at each word a
 * fixed number of times, for it works on the main thread.
 */
export function findTables(sql: string): readonly string[] {
  const tokens = tokenize(sql);
  const closings = closingsAfter(tokens);
  const defined = new Set(
    tokens.flatMap((token, at) => (isDefinition(tokens, at, closings) ? [getName(token)] : [])),
  );
  return tableNames(tokens).filter((name) => !defined.has(name));
}

/** For each position, that of the first `)` after it; -1 where there is none. */
function closingsAfter(tokens: readonly Token[]): Int32Array {
  const closings = new Int32Array(tokens.length);
  let closing = -1;
  for (let at = tokens.length - 1; at >= 0; at -= 1) {
    closings[at] = closing;
    if (isSign(tokens[at], ')')) closing = at;
  }
  return closings;
}

function tokenize(sql: string): readonly Token[] {
  return [...sql.matchAll(LEXEME)].flatMap((match): Token[] => {
    const [text, , double, backtick, bracket, word] = match;
    const name = double ?? backtick ?? bracket;
    if (name !== undefined) return [{ kind: 'name', text: name }];
    if (word !== undefined) return [{ kind: 'word', text: word }];
    if (text.startsWith('--') || text.startsWith('/*')) return [];
    return [{ kind: /^['$\d]/.test(text) ? 'literal' : 'sign', text }];
  });
}

/** `name AS (` and `name(columns) AS (` as WITH writes them. */
function isDefinition(tokens: readonly Token[], at: number, closings: Int32Array): boolean {
  if (!isName(tokens[at])) return false;
  let next = at + 1;
  if (isSign(tokens[next], '(')) {
    next = closings[next]! + 1;
    if (next === 0) return false;
  }
  if (!isWord(tokens[next], 'as')) return false;
  next += 1;
  if (isWord(tokens[next], 'not')) next += 1;
  if (isWord(tokens[next], 'materialized')) next += 1;
  return isSign(tokens[next], '(');
}

/** The names that follow FROM or JOIN: `a`, `schema.a`, `a x, b y`. */
function tableNames(tokens: readonly Token[]): readonly string[] {
  const names = new Set<string>();
  let at = 0;
  while (at < tokens.length) {
    const isListed = isWord(tokens[at], 'from') || isWord(tokens[at], 'join');
    at += 1;
    if (!isListed) continue;
    while (isName(tokens[at])) {
      while (isSign(tokens[at + 1], '.') && isName(tokens[at + 2])) at += 2;
      // A name that is called is a function that gives rows.
      if (!isSign(tokens[at + 1], '(')) names.add(getName(tokens[at]!));
      at = afterAlias(tokens, at + 1);
      if (!isSign(tokens[at], ',')) break;
      at += 1;
    }
  }
  return [...names];
}

function afterAlias(tokens: readonly Token[], at: number): number {
  const name = isWord(tokens[at], 'as') ? at + 1 : at;
  return isName(tokens[name]) && isSign(tokens[name + 1], ',') ? name + 1 : at;
}

function getName(token: Token): string {
  return token.text.toLowerCase();
}

function isName(token: Token | undefined): boolean {
  return token?.kind === 'name' || token?.kind === 'word';
}

function isWord(token: Token | undefined, word: string): boolean {
  return token?.kind === 'word' && token.text.toLowerCase() === word;
}

function isSign(token: Token | undefined, sign: string): boolean {
  return token?.kind === 'sign' && token.text === sign;
}
