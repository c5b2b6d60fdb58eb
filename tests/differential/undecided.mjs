// Where yjs' result hangs on the engine. mergeUpdates sorts its readers, and its comparison says "less" both ways round
// when one update has a struct as an item and another has it as collected: which of them is taken depends on how the
// engine's sort goes about it. Merging is also how yjs keeps what waits. So we look over the shoulder of the sort.
let seen = false
const sort = Array.prototype.sort

const isUndecided = (a, b) => a.curr?.id !== undefined && b.curr?.id !== undefined && a.curr.id.client === b.curr.id.client &&
  a.curr.id.clock === b.curr.id.clock && a.curr.constructor !== b.curr.constructor

Array.prototype.sort = function (compare) {       // eslint-disable-line no-extend-native
  sort.call(this, compare)
  if (this.length > 1 && this[0] !== null && typeof this[0] === 'object' && 'curr' in this[0]) {
    for (let i = 1; i < this.length; i++) seen ||= isUndecided(this[i - 1], this[i])
  }
  return this
}

// Runs F; [its result, whether it met such a choice].
export const watched = f => {
  seen = false
  return [f(), seen]
}
