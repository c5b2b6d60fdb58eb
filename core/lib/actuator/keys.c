/* management.*: names, defaults and meanings of Spring Boot. */
#include "internal.h"

const char *const actuator_shows_words[] = { "never", "when-authorized", "always", NULL };
const char *const actuator_access_words[] = { "none", "read-only", "unrestricted", NULL };
#define shows actuator_shows_words

#define AT(f) .at = offsetof(struct um_actuator_conf, f)
static const struct um_conf_key keys[] = {
    { "management.endpoints.web.exposure.include", NULL, "health,info,status,metrics,prometheus,loggers,caches,sessions",
      "endpoints of the actuator that can be asked; * = all, env and configprops too", UM_CONF_LIST, 0, AT(include), .max = 64 },
    { "management.endpoints.web.exposure.exclude", NULL, "", "those of them that can not", UM_CONF_LIST, 0, AT(exclude), .max = 64 },
    { "management.endpoints.web.base-path", NULL, "/actuator", "where it is, below /core and /gui", UM_CONF_STR, 0, AT(base_path), .min = 2, .max = 128 },
    { "management.endpoints.access.default", NULL, "", "access to endpoints without a word of their own; empty = unrestricted, shutdown none", UM_CONF_ENUM, 0,
      AT(access), .words = actuator_access_words },
    { "management.endpoints.access.max-permitted", NULL, "unrestricted", "no endpoint is more open than this", UM_CONF_ENUM, 0, AT(max_access),
      .words = actuator_access_words },
    { "management.endpoint.*", NULL, NULL, "of one endpoint: <id>.access = none, read-only or unrestricted; <id>.cache.time-to-live = how long its reply is kept (0s)",
      UM_CONF_STR, UM_CONF_UNBOUND, 0, .max = 4096 },
    { "management.endpoint.health.group.*", NULL, NULL, "of a group of components: <name>.include and .exclude (* = all), .show-details, .show-components, "
      ".additional-path = server:/name or management:/name; liveness and readiness are there", UM_CONF_STR, UM_CONF_UNBOUND, 0, .max = 4096 },
    { "management.endpoint.health.probes.add-additional-paths", NULL, "false", "liveness also at /livez, readiness at /readyz, on server.port", UM_CONF_BOOL, 0,
      AT(add_probes) },
    { "management.endpoint.health.show-details", NULL, "when-authorized",
      "who sees the details of health's components; authorized is who comes with the token of an administrator", UM_CONF_ENUM, 0,
      AT(show_details), .words = shows },
    { "management.endpoint.health.show-components", NULL, "",
      "who sees the components; empty = everybody at a core, and at a gateway who sees the details", UM_CONF_ENUM, 0, AT(show_components), .words = shows },
    { "management.endpoint.env.show-values", "management.endpoint.configprops.show-values", "never",
      "whether env and configprops tell values; secrets never", UM_CONF_ENUM, 0, AT(show_values), .words = shows },
    { "management.endpoint.health.roles", NULL, "", "roles of who is authorized for details; empty = ADMIN. SYSTEM_ADMIN always is", UM_CONF_LIST, 0,
      AT(roles), .max = 64 },
    { "spring.security.user.name", NULL, "", "an administrator of the actuator alone, for programs that come with name and password (Basic); empty = none",
      UM_CONF_STR, 0, AT(user), .max = UM_ACTUATOR_USER_MAX },
    { "spring.security.user.password", NULL, "", "its password: text, or ENC(...)", UM_CONF_STR, UM_CONF_SECRET, AT(password), .max = UM_ACTUATOR_PASSWORD_MAX },
    { "management.server.port", NULL, "0", "a port of its own for the whole actuator; 0 = none. server.port goes on to serve health, info and status",
      UM_CONF_INT, 0, AT(port), .max = 65535 },
    { "management.server.address", NULL, "", "where that listens; empty = server.address", UM_CONF_STR, 0, AT(address), .max = 255 },
};
const struct um_conf_table um_actuator_conf_table = UM_CONF_TABLE("Actuator", keys);
