/* What the settings make of an actuator: endpoints, groups of health, its own user. */
#include <um_test.h>
#include <stdlib.h>
#include <umbel/log.h>
#include "internal.h"

static enum um_health up(void *arg)
{
    (void)arg;
    return UM_HEALTH_UP;
}

static const struct um_actuator_component components[] = {
    { "db", NULL, up, NULL, NULL }, { "livenessState", "liveness", up, NULL, NULL }, { "readinessState", "readiness", up, NULL, NULL },
};
static const char *const endpoints[] = { "env", "health", "loggers", "shutdown", NULL };

struct made { struct um_conf *conf; struct um_actuator_conf own; struct um_actuator *a; };

/* SETTINGS: arguments, the last NULL. */
static struct made make(const char *const *settings)
{
    static const struct um_conf_table *const tables[] = { &um_conf_own_table, &um_actuator_conf_table };
    char *argv[16] = { (char *)(uintptr_t)"test" };
    struct um_conf_source source = { .app = "test", .dir = "/nonexistent", .argv = argv, .tables = tables, .n_tables = 2 };
    struct made m = { 0 };

    for (source.argc = 1; settings[source.argc - 1] != NULL; source.argc++)
        argv[source.argc] = (char *)(uintptr_t)settings[source.argc - 1];
    assert_int_equal(um_conf_load(&m.conf, &source), UM_OK);
    assert_int_equal(um_conf_bind(m.conf, um_actuator_conf_table.keys, um_actuator_conf_table.n, &m.own), UM_OK);
    m.a = um_actuator_new(&(struct um_actuator_setup){ .context = "/core", .app = "test", .endpoints = endpoints, .components = components,
                                                       .n_components = 3, .conf = &m.own, .settings = m.conf });
    return m;
}
#define MAKE(...) make((const char *const[]){ __VA_ARGS__ __VA_OPT__(,) NULL })

static void unmake(struct made *m)
{
    um_actuator_free(m->a);
    um_conf_free(m->conf);
}

static void exposure_and_access_decide_together(void **state)
{
    struct made m = MAKE("--management.endpoints.web.exposure.include=*", "--management.endpoints.web.exposure.exclude=env");

    (void)state;
    assert_non_null(m.a);
    assert_true(endpoint_is_exposed(m.a, "health") && endpoint_is_exposed(m.a, "loggers"));
    assert_false(endpoint_is_exposed(m.a, "env"));        /* exclude wins */
    assert_false(endpoint_is_exposed(m.a, "shutdown"));   /* nobody has let it */
    assert_false(endpoint_is_exposed(m.a, "heapdump"));   /* there is none */
    unmake(&m);
    m = MAKE("--management.endpoints.web.exposure.include=*", "--management.endpoint.shutdown.access=UNRESTRICTED", "--management.endpoint.loggers.enabled=false",
             "--management.endpoints.access.max-permitted=read_only");
    assert_non_null(m.a);
    assert_true(endpoint_is_exposed(m.a, "shutdown"));
    assert_false(endpoint_is_exposed(m.a, "loggers"));
    for (size_t i = 0; i < m.a->n_endpoints; i++)
        assert_true(m.a->endpoints[i].access <= UM_ACTUATOR_READ_ONLY);
    unmake(&m);
    m = MAKE("--management.endpoints.access.default=none", "--management.endpoint.health.access=read-only");
    assert_non_null(m.a);
    assert_true(endpoint_is_exposed(m.a, "health"));
    assert_false(endpoint_is_exposed(m.a, "loggers"));
    unmake(&m);
}

static void groups_are_what_the_settings_say(void **state)
{
    struct made m = MAKE("--management.endpoint.health.group.readiness.include=readinessState,DB", "--management.endpoint.health.group.other.include=*",
                         "--management.endpoint.health.group.other.exclude=db", "--management.endpoint.health.probes.add-additional-paths=true",
                         "--management.endpoint.health.group.readiness.additional-path=server:/ready");
    const char *path;
    bool on_management;
    size_t pos = 0;

    (void)state;
    assert_non_null(m.a);
    assert_int_equal(m.a->n_groups, 3);
    assert_string_equal(m.a->groups[0].name, "liveness");
    assert_string_equal(m.a->groups[1].name, "other");
    assert_true(group_has(group_find(m.a, "readiness"), "db") && !group_has(group_find(m.a, "readiness"), "livenessState"));
    assert_true(group_has(group_find(m.a, "other"), "livenessState") && !group_has(group_find(m.a, "other"), "db"));
    assert_null(group_find(m.a, "none"));
    assert_true(um_actuator_each_probe(m.a, &pos, &path, &on_management) && strcmp(path, "/livez") == 0);
    assert_true(um_actuator_each_probe(m.a, &pos, &path, &on_management) && strcmp(path, "/ready") == 0);     /* its own word counts */
    assert_false(um_actuator_each_probe(m.a, &pos, &path, &on_management));
    unmake(&m);
}

static void what_cannot_be_meant_stops_the_start(void **state)
{
    static const char *const wrong[] = {
        "--management.endpoint.loggers.access=write", "--management.endpoint.loggers.enabled=perhaps", "--management.endpoint.env.cache.time-to-live=soon",
        "--management.endpoint.env.cache.time-to-live=2h", "--management.endpoint.health.group.a.include=database", "--management.endpoint.health.group.a.show-details=yes",
        "--management.endpoint.health.group.a.additional-path=/livez", "--management.endpoint.health.group.a.additional-path=server:livez",
        "--management.endpoint.health.group.a.additional-path=server:/a/b", "--management.endpoint.health.group.include=db",
        "--management.endpoints.web.base-path=manage", "--management.endpoints.web.base-path=/a/", "--management.endpoints.web.base-path=/a/../b",
        "--management.endpoints.web.base-path=/{id}", "--spring.security.user.name=prometheus",
    };

    (void)state;
    um_log_set_level(NULL, UM_OFF);
    for (size_t i = 0; i < UM_COUNT(wrong); i++) {
        struct made m = MAKE(wrong[i]);
        if (m.a != NULL)
            print_message("%s\n", wrong[i]);
        assert_null(m.a);
        unmake(&m);
    }
    struct made m = MAKE("--spring.security.user.name=a", "--spring.security.user.password=$argon2id$v=19$m=1,t=1,p=1$c2FsdA$aGFzaA");
    assert_null(m.a);                                     /* a hash would never be equal to what is said */
    unmake(&m);
    um_log_set_level(NULL, UM_INFO);
}

static void the_base_is_below_the_context(void **state)
{
    struct made m = MAKE("--management.endpoints.web.base-path=/manage");

    (void)state;
    assert_non_null(m.a);
    assert_string_equal(um_actuator_base(m.a), "/core/manage");
    assert_true(um_actuator_has_path(m.a, "/core/manage") && um_actuator_has_path(m.a, "/core/manage/health"));
    assert_false(um_actuator_has_path(m.a, "/core/manager") || um_actuator_has_path(m.a, "/core"));
    unmake(&m);
}

static void its_own_user_is_one_alone(void **state)
{
    struct um_actuator_conf cf = { .user = "prometheus", .password = "secret" }, none = { .user = "", .password = "" };

    (void)state;
    assert_true(um_actuator_is_own_user(&cf, &(struct um_actuator_credentials){ "prometheus", "secret" }));
    assert_false(um_actuator_is_own_user(&cf, &(struct um_actuator_credentials){ "prometheus", "secre" }));
    assert_false(um_actuator_is_own_user(&cf, &(struct um_actuator_credentials){ "prometheus", "secrets" }));
    assert_false(um_actuator_is_own_user(&cf, &(struct um_actuator_credentials){ "prometheus", "" }));
    assert_false(um_actuator_is_own_user(&cf, &(struct um_actuator_credentials){ "Prometheus", "secret" }));
    assert_false(um_actuator_is_own_user(&none, &(struct um_actuator_credentials){ "", "" }));
    assert_false(um_actuator_is_own_user(NULL, &(struct um_actuator_credentials){ "", "" }));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(exposure_and_access_decide_together), cmocka_unit_test(groups_are_what_the_settings_say),
        cmocka_unit_test(what_cannot_be_meant_stops_the_start), cmocka_unit_test(the_base_is_below_the_context),
        cmocka_unit_test(its_own_user_is_one_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
