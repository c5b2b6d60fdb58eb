// Reads the lines of the crdt measurement, repeats them, and puts a table of them on stderr: how many times as much as
// Umbel the others take.
import { createInterface } from 'node:readline'

const SUBJECTS = ['umbel', 'yjs', 'ywasm', 'loro']
const rows = new Map()
for await (const line of createInterface({ input: process.stdin })) {
  console.log(line)
  const f = JSON.parse(line)
  const key = f.case.startsWith('hostile-') ? null : `${f.case}, ${f.unit}`
  if (key === null) continue
  if (!rows.has(key)) rows.set(key, {})
  rows.get(key)[f.subject] = f.value
}
const number = v => v >= 100 ? v.toFixed(0) : v >= 1 ? v.toFixed(2) : v.toFixed(4)
const cell = (row, s) => row[s] === undefined ? '' : s === 'umbel' || !(row.umbel > 0) ? number(row[s]) : `${number(row[s])} (${number(row[s] / row.umbel)}x)`
const table = [['', ...SUBJECTS], ...[...rows].map(([key, row]) => [key, ...SUBJECTS.map(s => cell(row, s))])]
const width = table[0].map((_, i) => Math.max(...table.map(r => r[i].length)))
for (const r of table) console.error(r.map((c, i) => i === 0 ? c.padEnd(width[i]) : c.padStart(width[i])).join('  '))
