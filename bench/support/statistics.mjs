// Numbers of many rounds as one.
//
//   median(numbers)
//   percentile(numbers, 0.99)
//   await interleaved({ variants: [A, B, C], rounds, measure })   A B C, then C B A, and so on, so that what the machine does
//       beside us falls on all alike; a Map from each variant to what `measure(variant, round)` returned, one per round
export function median(numbers) {
  const sorted = numbers.toSorted((one, other) => one - other);
  const middle = sorted.length / 2;
  return Number.isInteger(middle) ? (sorted[middle - 1] + sorted[middle]) / 2 : sorted[Math.floor(middle)];
}

export function percentile(numbers, share) {
  const sorted = numbers.toSorted((one, other) => one - other);
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)];
}

export async function interleaved({ variants, rounds, measure }) {
  const samples = new Map(variants.map((variant) => [variant, []]));
  for (let round = 0; round < rounds; round += 1) {
    const order = round % 2 === 0 ? variants : variants.toReversed();
    for (const variant of order) samples.get(variant).push(await measure(variant, round));
  }
  return samples;
}
