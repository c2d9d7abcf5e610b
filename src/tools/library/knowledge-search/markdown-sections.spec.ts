import { describe, expect, it } from '@jest/globals';
import { splitSections } from './markdown-sections.js';

describe('splitSections', () => {
  it('names each section by the headings that lead to it', () => {
    const markdown =
      'Intro\n\n# Guide\r\n## Install ##\nRun it.\n### Windows\nClick.\n## Use\nUse it.\n# End\nBye.';
    expect(splitSections(markdown)).toEqual([
      { heading: '', text: 'Intro' },
      { heading: 'Guide > Install', text: 'Run it.' },
      { heading: 'Guide > Install > Windows', text: 'Click.' },
      { heading: 'Guide > Use', text: 'Use it.' },
      { heading: 'End', text: 'Bye.' },
    ]);
  });

  it('takes a comment in a code block as text', () => {
    const markdown = '# Run\n```sh\n# not a heading\nnpm start\n```\n~~~\n```\n# neither\n~~~\n## After\nx';
    expect(splitSections(markdown).map(({ heading }) => heading)).toEqual(['Run', 'Run > After']);
  });

  it('leaves out a skipped heading level', () => {
    expect(splitSections('# A\n### C\nx')).toEqual([{ heading: 'A > C', text: 'x' }]);
  });
});
