import { classOf, made } from './components.mjs'

const type = 'multipart/form-data; boundary=B'
const part = (name, text, more = '') => `--B\r\nContent-Disposition: form-data; name="${name}"${more}\r\n\r\n${text}\r\n`
const file = part('file', 'hello', '; filename="\u00fc.txt"')
const raw = `${file}--B--\r\n`
const upload = (t, more) => t.call('files.tmp.create', { raw, type, ...more })

/* A document with one file: { claims, path: { id, fileId }, object }. */
export async function withFile (t, ofClass = {}) {
  const { claims, classId } = await classOf(t, 'documents', ofClass)
  const { id } = await upload(t, { claims })
  const [object] = await t.call('documents.create', { claims, body: [{ name: 'One', data: { classId }, files: [{ id }] }] })
  return { claims, object, path: { id: object.id, fileId: object.files[0].id } }
}
const ofOne = more => async t => {
  const { claims, path } = await withFile(t)
  return { claims, path, ...more }
}

export default {
  'files.tmp.create': { raw, type },
  'files.tmp.get': async t => ({ path: { id: (await upload(t)).id }, headers: { Range: 'bytes=1-2' }, status: 206 }),
  'files.tmp.delete': async t => ({ path: { id: (await upload(t)).id } }),
  'documents.files.list': ofOne({
    query: { includeContent: true }, check: ({ body: [one] }) => { if (atob(one.content) !== 'hello') throw new Error(JSON.stringify(one)) }
  }),
  'documents.files.add': async t => {
    const { claims, object } = await made(t, 'documents')
    return { claims, path: { id: object.id }, query: { replace: true }, raw, type }
  },
  'documents.files.rename': ofOne({ raw: 'another name.txt', type: 'text/plain' }),
  'documents.files.delete': ofOne(),
  'documents.files.content': ofOne({ headers: { Range: 'bytes=0-1' }, status: 206 }),
  'documents.unique.create': async t => {
    const { claims, classId } = await classOf(t, 'documents')
    return { claims, type, raw: part('document', JSON.stringify([{ name: 'One', data: { classId } }])) + raw }
  },
  'documents.unique.update': async t => {
    const { claims, path, object } = await withFile(t)
    return { claims, type, path: { id: path.id }, raw: part('document', JSON.stringify([object])) + raw }
  }
}
