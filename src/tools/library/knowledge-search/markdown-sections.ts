/** The text under one heading of a Markdown file. */
export interface Section {
  /** The headings that lead to it: `Guide > Install`. Empty before the first one. */
  readonly heading: string;
  readonly text: string;
}

/** Splits Markdown at its ATX headings (`# …`); a `#` inside a fenced code block is text. Sections without text are left out. */
export function splitSections(markdown: string): readonly Section[] {
  const sections: Section[] = [];
  const path: string[] = [];
  let lines: string[] = [];
  let fence: string | undefined;

  const close = (): void => {
    const text = lines.join('\n').trim();
    if (text) sections.push({ heading: path.filter(Boolean).join(' > '), text });
    lines = [];
  };

  for (const line of markdown.split(/\r?\n/)) {
    const mark = /^ {0,3}(`{3,}|~{3,})/.exec(line)?.[1];
    if (mark && fence === undefined) fence = mark;
    else if (mark && fence !== undefined && mark.startsWith(fence)) fence = undefined;
    const heading = fence === undefined && !mark ? /^ {0,3}(#{1,6})\s+(\S.*)$/.exec(line) : undefined;
    if (!heading) {
      lines.push(line);
      continue;
    }
    close();
    const level = heading[1]!.length;
    path.length = level - 1;
    path[level - 1] = heading[2]!.replace(/\s+#+\s*$/, '').trim();
  }
  close();
  return sections;
}
