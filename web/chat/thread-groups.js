const DAY_MS = 86_400_000;

const month = new Intl.DateTimeFormat(undefined, { month: 'long', year: 'numeric' });

/**
 * Groups conversations, each once: those that need the person, then the pinned ones, then the rest by date.
 *
 * @returns groups, each `{ name, threads }`
 */
export function groupThreads({ waiting, pinned, items, archived }, now = Date.now()) {
  const groups = new Map();
  const seen = new Set();
  const add = (name, thread) => {
    if (seen.has(thread.id)) return;
    seen.add(thread.id);
    if (!groups.has(name)) groups.set(name, []);
    groups.get(name).push(thread);
  };
  if (!archived) {
    for (const thread of waiting) add('Needs you', thread);
    for (const thread of pinned) add('Pinned', thread);
  }
  for (const thread of items) add(getAge(thread.updatedAt, now), thread);
  return Array.from(groups, ([name, threads]) => ({ name, threads }));
}

function getAge(time, now) {
  const today = new Date(now).setHours(0, 0, 0, 0);
  if (time >= today) return 'Today';
  if (time >= today - DAY_MS) return 'Yesterday';
  if (time >= today - 7 * DAY_MS) return 'Last 7 days';
  if (time >= today - 30 * DAY_MS) return 'Last 30 days';
  return month.format(time);
}
