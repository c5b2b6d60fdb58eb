const type = 'multipart/form-data; boundary=B'
const raw = '--B\r\nContent-Disposition: form-data; name="file"; filename="\u00fc.txt"\r\nContent-Type: text/plain\r\n\r\nhello\r\n--B--\r\n'
const upload = t => t.call('files.tmp.create', { raw, type })

export default {
  'files.tmp.create': { raw, type },
  'files.tmp.get': async t => ({ path: { id: (await upload(t)).id }, headers: { Range: 'bytes=1-2' }, status: 206 }),
  'files.tmp.delete': async t => ({ path: { id: (await upload(t)).id } })
}
