/* Searches and their exports, in each category alike. */
import { made } from './components.mjs'
import { withFile } from './files.mjs'

const job = async (t, word) => {
  const { claims } = await made(t, word)
  const { jobId } = await t.call(`${word}.search.csv`, { claims, body: {} })
  return { claims, query: { jobId } }
}
const calls = word => ({
  [`${word}.search`]: async t => {
    const { claims } = await made(t, word)
    return { claims, body: { filterClauses: [{ criteria: [{ name: 'Content', operator: 'CONTAINS', values: ['one'] }] }], aggregation: { field: 'owner' }, max: 1 } }
  },
  [`${word}.search.csv`]: async t => ({ claims: (await made(t, word)).claims, query: { locale: 'fr' }, body: { selectClause: { fields: ['name'] } } }),
  [`${word}.search.csv.get`]: async t => ({ claims: (await made(t, word)).claims, query: { locale: 'fr', request: JSON.stringify({ selectClause: { fields: ['name'] } }) } }),
  [`${word}.search.job.status`]: t => job(t, word),
  [`${word}.search.job`]: t => job(t, word),
  [`${word}.search.job.error`]: t => job(t, word)
})

const file = async t => {
  const { claims, path } = await withFile(t)
  return { claims, path }
}

export default Object.assign({}, ...['documents', 'folders', 'tasks', 'virtualFolder'].map(calls), {
  'documents.files.index': async t => ({ ...await file(t), raw: 'words of a file', type: 'text/plain' }),
  'documents.files.unindex': file
})
