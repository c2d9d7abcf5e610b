import { findCountries, type Country } from './demo-country-names.js';
import { anyName, fold } from './demo-names.js';

/** Cities that name no time zone of their own, and zones that `Intl` lists under an older name. */
const CITY_ZONES: Readonly<Record<string, string>> = {
  beijing: 'Asia/Shanghai',
  shenzhen: 'Asia/Shanghai',
  mumbai: 'Asia/Kolkata',
  delhi: 'Asia/Kolkata',
  'new delhi': 'Asia/Kolkata',
  bangalore: 'Asia/Kolkata',
  kolkata: 'Asia/Kolkata',
  kathmandu: 'Asia/Kathmandu',
  yangon: 'Asia/Yangon',
  'ho chi minh city': 'Asia/Ho_Chi_Minh',
  hanoi: 'Asia/Bangkok',
  osaka: 'Asia/Tokyo',
  kyoto: 'Asia/Tokyo',
  'abu dhabi': 'Asia/Dubai',
  'tel aviv': 'Asia/Jerusalem',
  ankara: 'Europe/Istanbul',
  kyiv: 'Europe/Kyiv',
  'st petersburg': 'Europe/Moscow',
  munich: 'Europe/Berlin',
  hamburg: 'Europe/Berlin',
  frankfurt: 'Europe/Berlin',
  cologne: 'Europe/Berlin',
  geneva: 'Europe/Zurich',
  bern: 'Europe/Zurich',
  milan: 'Europe/Rome',
  venice: 'Europe/Rome',
  barcelona: 'Europe/Madrid',
  lyon: 'Europe/Paris',
  edinburgh: 'Europe/London',
  manchester: 'Europe/London',
  salzburg: 'Europe/Vienna',
  graz: 'Europe/Vienna',
  'san francisco': 'America/Los_Angeles',
  'san diego': 'America/Los_Angeles',
  seattle: 'America/Los_Angeles',
  'las vegas': 'America/Los_Angeles',
  california: 'America/Los_Angeles',
  boston: 'America/New_York',
  washington: 'America/New_York',
  miami: 'America/New_York',
  atlanta: 'America/New_York',
  philadelphia: 'America/New_York',
  houston: 'America/Chicago',
  dallas: 'America/Chicago',
  austin: 'America/Chicago',
  montreal: 'America/Toronto',
  ottawa: 'America/Toronto',
  'rio de janeiro': 'America/Sao_Paulo',
  rio: 'America/Sao_Paulo',
  brasilia: 'America/Sao_Paulo',
  'buenos aires': 'America/Argentina/Buenos_Aires',
  canberra: 'Australia/Sydney',
  wellington: 'Pacific/Auckland',
  'cape town': 'Africa/Johannesburg',
  utc: 'UTC',
  gmt: 'UTC',
};

const ZONES = new Map<string, string>(Object.entries(CITY_ZONES));
for (const zone of Intl.supportedValuesOf('timeZone')) {
  const city = fold(zone.split('/').at(-1)?.replaceAll('_', ' ') ?? zone);
  if (!ZONES.has(city)) ZONES.set(city, zone);
}
const CITY = anyName(ZONES.keys());
const ZONE = /(?<![\p{L}/])\p{Lu}\p{L}+(?:\/[\p{L}_-]+)+/gu;

/** A place with the IANA time zone that holds there. `zone` is undefined when the place has several. */
export interface PlaceTime {
  readonly place: string;
  readonly zone?: string;
}

/** The cities and countries that a text names, with their time zones; also a zone by its own name ("Asia/Tokyo"). */
export function findPlaces(text: string): PlaceTime[] {
  const named = text.match(ZONE)?.filter((zone) => Intl.supportedValuesOf('timeZone').includes(zone)) ?? [];
  if (named.length > 0) return named.map((zone) => ({ place: zone, zone }));
  const cities = [...new Set(fold(text).match(CITY))].map((city) => ({
    place: title(city),
    zone: ZONES.get(city),
  }));
  if (cities.length > 0) return cities;
  return findCountries(text).map(toPlaceTime);
}

/** Up to this many zones, all but the capital's are islands and enclaves. */
const FEW_ZONES = 3;

function toPlaceTime({ name, alpha2, capital }: Country): PlaceTime {
  const zones = listZones(alpha2);
  if (zones.length === 1) return { place: name, zone: zones[0] };
  const zone = zones.length <= FEW_ZONES && capital ? ZONES.get(fold(capital)) : undefined;
  return zone ? { place: `${capital} (${name})`, zone } : { place: name };
}

/** A method since Node 24 and a property before it, and not yet in TypeScript's library. */
function listZones(region: string): readonly string[] {
  const locale = new Intl.Locale('und', { region }) as Intl.Locale & {
    readonly timeZones?: readonly string[];
    getTimeZones?(): readonly string[] | undefined;
  };
  return locale.getTimeZones?.() ?? locale.timeZones ?? [];
}

function title(city: string): string {
  return city.length <= 3 && ZONES.get(city) === 'UTC'
    ? city.toUpperCase()
    : city.replaceAll(/(?<!\p{L})\p{L}/gu, (letter) => letter.toUpperCase());
}
