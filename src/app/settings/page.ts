import { colours, suggestionsOfAgents, path, text } from './formats.js';
import { part, setting } from './setting.js';

export const PAGE = {
  title: 'The page',
  intro: 'See [the look of the page](../guides/brand.md).',
  settings: {
    BRAND_NAME: setting('chat.brand.name', {
      format: text(),
      unset: 'Agent Stream',
      example: 'Acme Assistant',
      effect: 'The name in the title of the page and beside the logo.',
      isAboutSecurity: false,
    }),
    BRAND_LOGO: part('chat.brand', {
      format: path(),
      unset: 'the page’s own',
      example: './logo.svg',
      effect: 'The file of the picture beside the name: PNG, JPEG, WebP or SVG, of at most 32 KiB.',
      isAboutSecurity: false,
    }),
    BRAND_ACCENT: setting('chat.brand.accent', {
      format: colours(),
      unset: 'the page’s own',
      example: '#7a1fa2,#d9a7f0',
      effect: 'The colour of links, buttons and marks on the light page, and that on the dark one.',
      details: 'A colour that cannot be read, with a contrast below 4.5:1, prevents the start.',
      isAboutSecurity: false,
    }),
    BRAND_GREETING: setting('chat.brand.greeting', {
      format: text(),
      unset: 'the page’s own',
      example: 'How can we help?',
      effect: 'The heading of a new conversation.',
      isAboutSecurity: false,
    }),
    SUGGESTIONS: setting('suggestions', {
      format: suggestionsOfAgents(),
      default: new Map(),
      unset: 'four for the built-in agent',
      example: 'assistant=Where is my order?|What is new?',
      effect:
        'Questions that the page offers with an agent: `agent=question|question`, with `;` between agents.',
      details: 'At most 12 of an agent, each of at most 300 characters.',
      isAboutSecurity: false,
    }),
  },
} as const;
