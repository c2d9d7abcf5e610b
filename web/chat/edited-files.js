/**
 * Moves the files of a message with the words around them, after its text was edited. A file whose words are gone stands where they were. Pure.
 *
 * @param files each with `at`, its place in the text before
 */
export function moveFiles(before, after, files) {
  const most = Math.min(before.length, after.length);
  let same = 0;
  while (same < most && before[same] === after[same]) same += 1;
  let end = 0;
  while (end < most - same && before.at(-1 - end) === after.at(-1 - end)) end += 1;
  return files.map(({ at = 0, ...file }) => {
    const place = at <= same ? at : Math.max(same, at - before.length + after.length);
    const isGone = at > same && at < before.length - end;
    const moved = isGone ? same : place;
    return moved > 0 ? { ...file, at: moved } : file;
  });
}

/** True if two lists have the same files in the same places. */
export function areSame(files, others) {
  const places = [files, others].map((list) =>
    JSON.stringify(list.map(({ fileId, url, at = 0 }) => [fileId, url, at])),
  );
  return places[0] === places[1];
}
