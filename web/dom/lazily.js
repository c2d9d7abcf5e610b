/**
 * Returns a function that loads a part of the page when it is first called, and again after a failure.
 *
 * @param load imports the part, and makes of it what is needed
 */
export function lazily(load) {
  let loading;
  return () => {
    loading ??= load().catch((cause) => {
      loading = undefined;
      throw new Error('A part of this page could not be loaded. Reload the page.', { cause });
    });
    return loading;
  };
}
