import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { contrast, PAGE_COLOURS, validateBrand, type BrandOptions } from './brand.js';

const PICTURE = 'data:image/png;base64,iVBORw0KGgo=';
const validate = (brand: unknown) => validateBrand(brand as BrandOptions, (option) => `brand.${option}`);

describe('validateBrand', () => {
  it.each<[string, BrandOptions]>([
    ['nothing', {}],
    ['a name, a greeting and a picture', { name: 'Acme <b>&', greeting: 'How can we help?', logo: PICTURE }],
    ['colours that can be read', { accent: { light: '#0c5f54', dark: '#74d6c2' } }],
    ['black and white', { accent: { light: '#000000', dark: '#FFFFFF' } }],
  ])('accepts a brand of %s', (_, brand) => {
    expect(validate(brand)).toEqual([]);
  });

  it.each<[string, unknown, string]>([
    ['the name is long', { name: 'x'.repeat(61) }, 'brand.name must be a line'],
    ['the name is blank', { name: ' ' }, 'brand.name must be a line'],
    ['the greeting has lines', { greeting: 'a\nb' }, 'brand.greeting must be a line'],
    ['the picture is elsewhere', { logo: 'https://evil.example/a.png' }, 'brand.logo must be'],
    ['the picture is a page', { logo: 'data:text/html;base64,PGI+' }, 'brand.logo must be'],
    ['the picture is large', { logo: `${PICTURE.slice(0, -1)}${'A'.repeat(44_000)}` }, 'brand.logo must be'],
    ['a colour is more than one', { accent: { light: '#0c5f54;color:red', dark: '#74d6c2' } }, 'two colours'],
    ['a colour is a name', { accent: { light: 'teal', dark: '#74d6c2' } }, 'two colours'],
    ['there is one colour', { accent: '#0c5f54' }, 'two colours'],
    [
      'the light colour is too light',
      { accent: { light: '#ffcc00', dark: '#ffcc00' } },
      'brand.accent: #ffcc00 has a contrast of 1.2:1 with the light page, and needs 4.5:1. Take a darker colour.',
    ],
    [
      'the dark colour is too dark',
      { accent: { light: '#0c5f54', dark: '#0c5f54' } },
      'with the dark page, and needs 4.5:1. Take a lighter colour.',
    ],
  ])('refuses a brand when %s', (_, brand, fault) => {
    expect(validate(brand)).toEqual([expect.stringContaining(fault)]);
  });

  it('measures contrast as WCAG does', () => {
    expect(contrast('#000000', '#ffffff')).toBe(21);
    expect(contrast('#777777', '#ffffff')).toBeCloseTo(4.48, 2);
  });

  it('knows the colours that the page has', () => {
    const css = readFileSync(new URL('../web/styles/base.css', import.meta.url), 'utf8');
    for (const [name, light] of Object.entries(PAGE_COLOURS.light)) {
      const dark = PAGE_COLOURS.dark[name as keyof typeof PAGE_COLOURS.dark];
      expect(css).toContain(`--${name}: light-dark(${light}, ${dark});`);
    }
    expect(css).toContain('--tint: color-mix(in srgb, var(--accent) 12%, var(--surface));');
  });
});
