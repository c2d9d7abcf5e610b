/** The languages whose code is coloured, each a file of its own, with the other names that models give them. */
const NAMES = {
  bash: 'sh zsh shell console',
  cpp: 'c h cc hpp c++',
  csharp: 'cs c#',
  css: 'scss less',
  diff: 'patch',
  dockerfile: 'docker',
  go: 'golang',
  graphql: 'gql',
  ini: 'toml conf properties',
  java: '',
  javascript: 'js jsx mjs cjs',
  json: 'jsonc json5 jsonl',
  kotlin: 'kt',
  lua: '',
  markdown: 'md',
  php: '',
  powershell: 'ps1 pwsh',
  python: 'py python3',
  r: '',
  ruby: 'rb',
  rust: 'rs',
  scala: '',
  sql: 'postgresql postgres mysql sqlite',
  swift: '',
  typescript: 'ts tsx mts',
  xml: 'html svg xhtml vue',
  yaml: 'yml',
};

const BY_NAME = new Map(
  Object.entries(NAMES).flatMap(([language, names]) =>
    [language, ...names.split(' ')].map((name) => [name, language]),
  ),
);

/** Returns the language of a name that a model gave to its code. Undefined: its code stays as it is. */
export function toLanguage(name) {
  return name === '' ? undefined : BY_NAME.get(name.toLowerCase());
}
