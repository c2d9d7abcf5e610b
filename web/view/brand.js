const KEY = 'brand';

/** The look of the page where nothing else is set. */
const OWN = {
  name: 'Agent Stream',
  logo: new URL('../icon.svg', import.meta.url).href,
  greeting: 'Ask, and watch it work.',
};

/** The look that the server gives the page. It is kept, so that the next visit begins with it. */
export class Brand {
  name;
  logo;
  greeting;

  constructor() {
    this.#take(readKept());
  }

  /** @param given `brand` of the session; undefined: the page's own. Returns true if anything has changed */
  change(given = {}) {
    const { name, logo, greeting } = this;
    this.#take(given);
    keep(given);
    return name !== this.name || logo !== this.logo || greeting !== this.greeting;
  }

  #take({ name = OWN.name, logo = OWN.logo, greeting = OWN.greeting, accent }) {
    this.name = name;
    this.logo = logo;
    this.greeting = greeting;
    document.querySelector('link[rel=icon]').href = logo;
    const { style } = document.documentElement;
    if (accent) {
      style.setProperty('--accent', `light-dark(${accent.light}, ${accent.dark})`);
      style.setProperty('--on-accent', `light-dark(${inkOn(accent.light)}, ${inkOn(accent.dark)})`);
    } else for (const each of ['--accent', '--on-accent']) style.removeProperty(each);
  }
}

/** Returns black or white, whichever can be read better on a colour: one of them always can (WCAG 2.2, relative luminance). */
function inkOn(colour) {
  const [red, green, blue] = [1, 3, 5].map((at) => {
    const share = Number.parseInt(colour.slice(at, at + 2), 16) / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue > 0.179 ? '#000000' : '#ffffff';
}

function readKept() {
  try {
    return JSON.parse(localStorage.getItem(KEY)) ?? {};
  } catch {
    return {};
  }
}

function keep(given) {
  try {
    if (Object.keys(given).length === 0) localStorage.removeItem(KEY);
    else localStorage.setItem(KEY, JSON.stringify(given));
  } catch {
    // Then the next visit begins with the page's own.
  }
}
