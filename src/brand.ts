/** The look of the page of an organization. Nothing here is markup: texts are shown as they are, and colours are numbers. */
export interface BrandOptions {
  /** Name in the title and beside the logo; at most 60 characters. Default: the page's own. */
  readonly name?: string;
  /** Picture beside the name, and the icon of the tab: a `data:` URL of a PNG, JPEG, WebP or SVG picture, of at most 32 KiB. Default: the page's own. */
  readonly logo?: string;
  /**
   * Colour of links, buttons and marks, as `#rrggbb`, on the light and on the dark page. Each needs a contrast of 4.5:1 with what is behind it
   * (WCAG 2.2, 1.4.3). Default: the page's own.
   */
  readonly accent?: { readonly light: string; readonly dark: string };
  /** Heading of a new conversation; at most 120 characters. Default: the page's own. */
  readonly greeting?: string;
}

type Given = { readonly [Key in keyof BrandOptions]?: unknown };
type Theme = 'light' | 'dark';

const LONGEST_NAME = 60;
const LONGEST_GREETING = 120;
const LONGEST_LOGO = 44_000;
const LEAST_CONTRAST = 4.5;

/** Part of the accent in the tint behind a message: as in base.css. */
const TINT = 0.12;

/** Colours of the page on which the accent is text or stands behind it: those of base.css, which a spec compares. */
export const PAGE_COLOURS = {
  light: { paper: '#f3f6f4', surface: '#ffffff', sunken: '#e9eeeb' },
  dark: { paper: '#0f1413', surface: '#171e1c', sunken: '#121918' },
} as const;

const COLOUR = /^#[0-9a-f]{6}$/i;
const LOGO = /^data:image\/(png|jpeg|webp|svg\+xml);base64,[A-Za-z0-9+/]+={0,2}$/;

/**
 * Returns everything that is wrong with a brand, one sentence each with its remedy; empty if it can be shown.
 *
 * @param nameFor name of an option, as the reader knows it
 */
export function validateBrand(brand: Given, nameFor: (option: keyof BrandOptions) => string): string[] {
  const errors: string[] = [];
  if (!isText(brand.name, LONGEST_NAME))
    errors.push(`${nameFor('name')} must be a line of at most ${LONGEST_NAME} characters.`);
  if (!isText(brand.greeting, LONGEST_GREETING))
    errors.push(`${nameFor('greeting')} must be a line of at most ${LONGEST_GREETING} characters.`);
  if (brand.logo !== undefined && !isLogo(brand.logo))
    errors.push(`${nameFor('logo')} must be a PNG, JPEG, WebP or SVG picture of at most 32 KiB.`);
  if (brand.accent !== undefined) errors.push(...validateAccent(brand.accent, nameFor('accent')));
  return errors;
}

function validateAccent(accent: unknown, name: string): string[] {
  const { light, dark } = (accent ?? {}) as { readonly light?: unknown; readonly dark?: unknown };
  if (!isColour(light) || !isColour(dark))
    return [`${name} must be two colours, #rrggbb for the light page and #rrggbb for the dark one.`];
  return [...validateContrast('light', light, name), ...validateContrast('dark', dark, name)];
}

function validateContrast(theme: Theme, accent: string, name: string): string[] {
  const { surface } = PAGE_COLOURS[theme];
  const tint = mix(accent, surface, TINT);
  const least = Math.min(
    ...[...Object.values(PAGE_COLOURS[theme]), tint].map((each) => contrast(accent, each)),
  );
  if (least >= LEAST_CONTRAST) return [];
  const remedy = theme === 'light' ? 'darker' : 'lighter';
  return [
    `${name}: ${accent} has a contrast of ${(Math.floor(least * 10) / 10).toFixed(1)}:1 with the ${theme} page, and needs ${LEAST_CONTRAST}:1. Take a ${remedy} colour.`,
  ];
}

/** Returns the contrast of two colours, from 1 to 21 (WCAG 2.2, relative luminance). */
export function contrast(one: string, other: string): number {
  const [darker = 0, lighter = 0] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (lighter + 0.05) / (darker + 0.05);
}

function luminance(colour: string): number {
  const [red = 0, green = 0, blue = 0] = toParts(colour).map((part) => {
    const share = part / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function mix(one: string, other: string, share: number): string {
  const others = toParts(other);
  const mixed = toParts(one).map((part, at) => Math.round(part * share + (others[at] ?? 0) * (1 - share)));
  return `#${mixed.map((part) => part.toString(16).padStart(2, '0')).join('')}`;
}

function toParts(colour: string): number[] {
  return [1, 3, 5].map((at) => Number.parseInt(colour.slice(at, at + 2), 16));
}

function isText(value: unknown, longest: number): boolean {
  if (value === undefined) return true;
  return (
    typeof value === 'string' && value.trim() !== '' && value.length <= longest && !/\p{Cc}/u.test(value)
  );
}

function isColour(value: unknown): value is string {
  return typeof value === 'string' && COLOUR.test(value);
}

function isLogo(value: unknown): boolean {
  return typeof value === 'string' && value.length <= LONGEST_LOGO && LOGO.test(value);
}
