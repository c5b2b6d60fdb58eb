const refs = t => [{ category: 'DOCUMENT', id: t.unique() }, { category: 'DOCUMENT', id: t.unique() }]
const claims = { jti: 'openapi' }

export default {
  'reservations.reserve': t => ({ body: refs(t), query: { wait: '1s' }, claims }),
  'reservations.release': t => ({ body: refs(t), claims }),
  'reservations.renew': async t => {
    const body = refs(t)
    await t.call('reservations.reserve', { body, claims })
    return { body, claims, check: ({ body: [first] }) => { if (!(first.token > 0)) throw new Error('the holder gets no token') } }
  },
  'reservations.state': t => ({ body: refs(t), claims }),
  'reservations.mine': { claims },
  'reservations.list': { query: { category: 'DOCUMENT', max: 5 } },
  'reservations.break': t => ({ path: refs(t)[0] })
}
