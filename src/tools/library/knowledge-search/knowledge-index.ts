import { DatabaseSync } from 'node:sqlite';
import { markdownFiles, type MarkdownFile } from './markdown-folder.js';
import { splitSections } from './markdown-sections.js';

/** A section up to this length is given whole; of a longer one, the part around the words that were found. */
const WHOLE_SECTION = 1_500;

export interface KnowledgeHit {
  readonly file: string;
  readonly heading: string;
  readonly excerpt: string;
}

/** A full-text index of a folder of Markdown, in memory. Each search first takes in what changed in the folder. */
export class KnowledgeIndex {
  readonly #database = new DatabaseSync(':memory:');
  readonly #versions = new Map<string, string>();
  #refreshing: Promise<void> | undefined;

  constructor(private readonly directory: string) {
    this.#database.exec(
      `CREATE VIRTUAL TABLE sections USING fts5(file, heading, text, tokenize = 'porter unicode61 remove_diacritics 2')`,
    );
  }

  /** Number of files in the index after the last search. */
  get size(): number {
    return this.#versions.size;
  }

  /**
   * The best sections first. Finds those that have any of the words, more and rarer words first.
   *
   * @throws the file system's error when the folder cannot be read
   */
  async search(question: string, limit: number): Promise<readonly KnowledgeHit[]> {
    // One at a time: searches that come meanwhile share it.
    this.#refreshing ??= this.#refresh().finally(() => (this.#refreshing = undefined));
    await this.#refreshing;
    const match = matchExpression(question);
    if (!match) return [];
    const rows = this.#database
      .prepare(
        `SELECT file, heading,
                CASE WHEN length(text) <= ${WHOLE_SECTION} THEN text ELSE snippet(sections, 2, '', '', '…', 64) END AS excerpt
         FROM sections WHERE sections MATCH ? ORDER BY bm25(sections, 2.0, 5.0, 1.0), rowid LIMIT ?`,
      )
      .all(match, limit);
    return rows.map(({ file, heading, excerpt }) => ({
      file: String(file),
      heading: String(heading),
      excerpt: String(excerpt),
    }));
  }

  close(): void {
    this.#database.close();
  }

  async #refresh(): Promise<void> {
    const files = await markdownFiles(this.directory);
    const names = new Set(files.map(({ name }) => name));
    for (const name of this.#versions.keys()) if (!names.has(name)) this.#remove(name);
    for (const file of files) if (this.#versions.get(file.name) !== file.version) await this.#add(file);
  }

  async #add(file: MarkdownFile): Promise<void> {
    const sections = splitSections(await file.read());
    this.#remove(file.name);
    const insert = this.#database.prepare('INSERT INTO sections (file, heading, text) VALUES (?, ?, ?)');
    this.#database.exec('BEGIN');
    for (const { heading, text } of sections) insert.run(file.name, heading, text);
    this.#database.exec('COMMIT');
    this.#versions.set(file.name, file.version);
  }

  #remove(name: string): void {
    if (this.#versions.delete(name)) this.#database.prepare('DELETE FROM sections WHERE file = ?').run(name);
  }
}

/** Each word as a quoted FTS5 string, so that nothing in the question can be taken for its syntax. */
function matchExpression(question: string): string {
  const words = question.match(/[\p{L}\p{N}]+/gu) ?? [];
  return [...new Set(words.map((word) => word.toLowerCase()))]
    .slice(0, 32)
    .map((word) => `"${word}"`)
    .join(' OR ');
}
