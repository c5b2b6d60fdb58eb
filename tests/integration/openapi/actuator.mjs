export default {
  'actuator.index': {},
  'actuator.health': {},
  'actuator.liveness': {},
  'actuator.readiness': {},
  'actuator.status': {},
  'actuator.info': {},
  'actuator.prometheus': {},
  'actuator.caches.list': {},
  'actuator.caches.clear': {},
  'actuator.caches.get': { path: { name: 'reservations' } },
  'actuator.caches.clearOne': { path: { name: 'reservations' } }
}
