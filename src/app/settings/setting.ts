import type { Config } from '../config.js';

/** Format of a setting's value in the environment. */
export interface Format<Value> {
  /**
   * @param text trimmed, not empty
   * @throws Unusable, or AppError, with what to write instead
   */
  parse(text: string): Value;
  /** Writes a value so that `parse` returns it. */
  write(value: Value): string;
}

/** Everything there is to know of a setting. From it come the check at start, the reference page and `.env.example`. */
export interface Setting<Value = unknown> {
  /** Path of the value in {@link Config}. `chat.…` is an option of `ChatModule.forRoot` by the same name. */
  readonly option: string;
  readonly format: Format<NonNullable<Value>>;
  /** The constant of the module that has the option. Undefined: nothing is set. */
  readonly default: Value;
  /** Says what happens where there is no default: `for ever`. Default: `none`. */
  readonly unset?: string;
  /** A value that somebody may want. It differs from the default: a test uses it to see that the setting arrives. */
  readonly example: string;
  /** Other settings without which this one is refused or does nothing. */
  readonly needs?: Readonly<Record<string, string>>;
  /** The effect, in a sentence or two: the comment in `.env.example`, and the first words on the reference page. */
  readonly effect: string;
  /** Units, consequences and exceptions, for the reference page. */
  readonly details?: string;
  /** True for keys, and URLs that may carry a password: the value is never repeated in a message or a log. */
  readonly isSecret?: boolean;
  /** False where nothing is refused by it. Every other setting has a row in `test/security/settings.spec.ts`. Default true. */
  readonly isAboutSecurity?: boolean;
}

type About<Value> = Omit<Setting<Value>, 'option' | 'default'>;

/** The paths in a shape, such as `chat.limits.maxTokens`. */
export type Path<Shape> = Shape extends
  readonly unknown[] | string | number | boolean | ((...args: never) => unknown)
  ? never
  : { [Key in keyof Shape & string]: Key | `${Key}.${Path<NonNullable<Shape[Key]>>}` }[keyof Shape & string];

type ValueAt<Shape, At extends string> = At extends `${infer Key}.${infer Rest}`
  ? Key extends keyof Shape
    ? ValueAt<NonNullable<Shape[Key]>, Rest>
    : never
  : At extends keyof Shape
    ? NonNullable<Shape[At]>
    : never;

/** Describes a setting whose value is an option as it stands. The compiler checks that the option exists and takes the value. */
export function setting<Option extends Path<Config>>(
  option: Option,
  about: About<ValueAt<Config, Option>> & { readonly default: ValueAt<Config, Option> },
): Setting<ValueAt<Config, Option>>;
export function setting<Option extends Path<Config>>(
  option: Option,
  about: About<ValueAt<Config, Option>>,
): Setting<ValueAt<Config, Option> | undefined>;
export function setting(option: string, about: About<unknown>): Setting {
  return { option, default: undefined, ...about };
}

/** A setting that makes up an option together with others; `join-settings.ts` puts them together. */
export interface PartialSetting<Value = unknown> extends Setting<Value> {
  readonly isPart: true;
}

/** Describes a setting that is one of several in an option. A test sees that it arrives there. */
export function part<Value>(
  option: Path<Config>,
  about: About<Value> & { readonly default: Value },
): PartialSetting<Value>;
export function part<Value>(option: Path<Config>, about: About<Value>): PartialSetting<Value | undefined>;
export function part(option: string, about: About<unknown>): PartialSetting {
  return { option, isPart: true, default: undefined, ...about };
}

/** A chapter of the reference page, and of `.env.example`. */
export interface Section {
  readonly title: string;
  readonly intro?: string;
  readonly outro?: string;
  readonly settings: Readonly<Record<string, Setting>>;
}
