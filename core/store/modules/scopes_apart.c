/* Reservations and facts of scopes are kept apart: a component of another scope than the default one is reserved as
 * "component/<scope>/<id>" (umbel/domain.h), no more as "<scope>/<id>", which can be the name of a document of the
 * default scope; and a fact says which scope it is about. */
#include "modules.h"

static const struct store_ddl ddl[] = {
    { STORE_BOTH, "UPDATE reservations SET id = 'component/' || id WHERE EXISTS(SELECT 1 FROM scopes s"
                  " WHERE substr(reservations.id, 1, length(s.id) + 1) = s.id || '/')" },
    { STORE_BOTH, "ALTER TABLE audit ADD COLUMN scope {TEXT} NOT NULL DEFAULT ''" },
    { STORE_BOTH, "CREATE INDEX audit_of_scope ON audit(scope, id)" },
};

const struct store_migration store_module_scopes_apart = { "reservations and facts by scope", 1, ddl, UM_COUNT(ddl) };
