/* Numbers that a seed repeats (mulberry32). */
export function makeRandom (seed) {
  let a = seed >>> 0
  const next = () => {
    a = (a + 0x6d2b79f5) >>> 0
    let t = a
    t = Math.imul(t ^ (t >>> 15), t | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
  const below = n => Math.floor(next() * n)
  return {
    below,
    between: (low, high) => low + below(high - low + 1),
    chance: percent => next() * 100 < percent,
    pick: list => list[below(list.length)],
    word: n => Array.from({ length: n }, () => 'abcdefghijklmnopqrstuvwxyz0123456789'[below(36)]).join(''),
    fork: () => makeRandom(Math.floor(next() * 2 ** 31))
  }
}
