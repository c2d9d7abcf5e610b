const SVG = 'http://www.w3.org/2000/svg';

// Drawn on a 20 by 20 grid, as strokes.
const PATHS = {
  plus: ['M10 4v12', 'M4 10h12'],
  send: ['M10 16V4.500', 'M5 9.500l5-5 5 5'],
  stop: ['M6 6h8v8H6z'],
  menu: ['M3.500 6h13', 'M3.500 10h13', 'M3.500 14h8'],
  close: ['M5 5l10 10', 'M15 5L5 15'],
  trash: ['M4 6h12', 'M8 6V4h4v2', 'M5.500 6l.8 10h7.400l.8-10', 'M8.500 9v4.500', 'M11.500 9v4.500'],
  copy: ['M7 7h9v9H7z', 'M13 7V4H4v9h3'],
  check: ['M4.500 10.500l3.700 3.700 7.300-8'],
  thumb: [
    'M7 9l3-5.500c1.200 0 2 .9 1.800 2.200L11.400 8.500h3.300a1.500 1.500 0 0 1 1.500 1.800l-.8 4.300a1.500 1.500 0 0 1-1.500 1.200H7z',
    'M7 9H4v6.800h3',
  ],
  bell: [
    'M5.500 14h9c-.900-1-1.300-2.200-1.300-4.500a3.200 3.200 0 0 0-6.400 0c0 2.300-.400 3.500-1.300 4.500z',
    'M8.800 16.300h2.400',
    'M10 4v1.800',
  ],
  retry: ['M15.500 8.500A6 6 0 1 0 16 11', 'M16 4.500v4h-4'],
  down: ['M10 4v11.500', 'M5 10.500l5 5 5-5'],
  chevron: ['M7.500 5l5 5-5 5'],
  cross: ['M5.500 5.500l9 9', 'M14.500 5.500l-9 9'],
  clock: ['M10 3.500a6.500 6.500 0 1 0 .01 0z', 'M10 6.500V10l2.500 1.700'],
  more: ['M4.500 10h.1', 'M10 10h.1', 'M15.500 10h.1'],
  pen: ['M4 16l.8-3.300L13 4.500l2.500 2.500-8.200 8.200z', 'M11.300 6.200l2.500 2.500'],
  minus: ['M5 10h10'],
  clip: [
    'M14.500 9.500l-5 5a3 3 0 0 1-4.300-4.300l6-6a2 2 0 0 1 2.900 2.900l-5.600 5.600a1 1 0 0 1-1.400-1.400l5-5',
  ],
  question: ['M7.300 7.500a2.700 2.700 0 1 1 3.900 2.400c-.8.400-1.200.9-1.200 1.800', 'M10 14.800v.1'],
  hand: [
    'M10 3.500l6 2.500v4c0 3.500-2.500 5.700-6 6.800-3.500-1.100-6-3.300-6-6.800V6z',
    'M10 7.500v3',
    'M10 13v.1',
  ],
  sun: [
    'M10 6.800a3.200 3.200 0 1 0 .01 0z',
    'M10 2.500v1.200M10 16.300v1.200M2.500 10h1.200M16.300 10h1.200M4.700 4.700l.9.9M14.400 14.400l.9.9M4.700 15.300l.9-.9M14.400 5.600l.9-.9',
  ],
  moon: ['M15.800 11.800A6.300 6.300 0 0 1 8.200 4.200a6.300 6.300 0 1 0 7.600 7.600z'],
  system: ['M3.500 4.500h13v8.500h-13z', 'M7.500 16h5', 'M10 13v3'],
  exit: ['M8 4H4v12h4', 'M8.500 10H16', 'M13 7l3 3-3 3'],
};

/** An icon for the eye only; what it means is said in words beside it or in the control's label. */
export function icon(name) {
  const svg = document.createElementNS(SVG, 'svg');
  svg.setAttribute('viewBox', '0 0 20 20');
  svg.setAttribute('class', `icon icon-${name}`);
  svg.setAttribute('aria-hidden', 'true');
  for (const d of PATHS[name]) {
    const path = document.createElementNS(SVG, 'path');
    path.setAttribute('d', d);
    svg.append(path);
  }
  return svg;
}
