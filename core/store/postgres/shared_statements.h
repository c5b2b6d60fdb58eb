/* The statements of the shared tables: the writer's, and those that readers have too. */
#ifndef PG_SHARED_STATEMENTS_H
#define PG_SHARED_STATEMENTS_H

#define PG_LEASE_ROW "r.category, r.id, r.user_id, r.session, r.token, r.since, r.expires, " PG_NOW

/* Arrays $1, $2 are references, in their order. */
#define PG_SHARED_WRITES(X)                                                                                                \
    X(MAKE_LEASES, "INSERT INTO reservations(category, id) SELECT n.category, n.id FROM unnest($1::text[], $2::text[])"    \
                   " WITH ORDINALITY n(category, id, ord) ORDER BY n.ord ON CONFLICT DO NOTHING")                          \
    /* and $3 sessions: all that they have */                                                                              \
    X(LOCK_LEASES, "WITH keys AS MATERIALIZED (SELECT n.category COLLATE \"C\" AS category, n.id COLLATE \"C\" AS id"      \
                   " FROM unnest($1::text[], $2::text[]) n(category, id)"                                                  \
                   " UNION SELECT h.category, h.id FROM reservations h WHERE h.session = ANY($3::text[]) AND h.session <> '')" \
                   " SELECT " PG_LEASE_ROW " FROM keys k JOIN reservations r ON r.category = k.category AND r.id = k.id"   \
                   " ORDER BY r.category, r.id FOR UPDATE OF r")                                                           \
    X(SET_LEASES, "UPDATE reservations r SET user_id = n.user_id, session = n.session, token = n.token, since = n.since,"  \
                  " expires = n.expires FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::bigint[],"         \
                  " $6::bigint[], $7::bigint[]) n(category, id, user_id, session, token, since, expires)"                  \
                  " WHERE r.category = n.category AND r.id = n.id")                                                        \
    X(UNMAKE_LEASES, "DELETE FROM reservations r USING unnest($1::text[], $2::text[]) n(category, id)"                     \
                     " WHERE r.category = n.category AND r.id = n.id AND r.token = 0")                                     \
    X(REVOKE, "INSERT INTO revocations(hash, until) SELECT n.hash, " PG_NOW " + max(n.ms) FROM unnest($1::text[],"         \
              " $2::bigint[]) n(hash, ms) GROUP BY n.hash ORDER BY n.hash COLLATE \"C\" ON CONFLICT (hash)"                \
              " DO UPDATE SET until = greatest(revocations.until, excluded.until)")                                        \
    X(FORGET, "DELETE FROM revocations WHERE hash IN (SELECT hash FROM revocations WHERE until <= " PG_NOW                 \
              " ORDER BY hash LIMIT 1000 FOR UPDATE SKIP LOCKED)")                                                         \
    X(AUDIT, "INSERT INTO audit(at, user_id, action, object_type, object_id, detail, scope) SELECT " PG_NOW ", n.user_id," \
             " n.action, n.object_type, n.object_id, n.detail, n.scope"                                                    \
             " FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[])"                        \
             " WITH ORDINALITY n(user_id, action, object_type, object_id, detail, scope, ord) ORDER BY n.ord")             \
    X(RAISE, "INSERT INTO cache_versions(scope, name, version) SELECT n.scope, n.name, n.by FROM unnest($1::text[],"       \
             " $2::text[], $3::bigint[]) WITH ORDINALITY n(scope, name, by, ord) ORDER BY n.ord ON CONFLICT (scope, name)" \
             " DO UPDATE SET version = cache_versions.version + excluded.version RETURNING version")

#define PG_SHARED_READS(X)                                                                                                 \
    X(CACHE, "SELECT version FROM cache_versions WHERE scope = '' AND name = $1::text")                                    \
    X(CACHES, "SELECT scope, name, version FROM cache_versions ORDER BY scope, name LIMIT $1::bigint")                     \
    X(REVOKED, "SELECT hash, until - " PG_NOW " FROM revocations WHERE until > " PG_NOW " LIMIT $1::bigint")               \
    X(AUDITS, "SELECT at, user_id, action, object_type, object_id, detail, scope FROM audit ORDER BY id DESC"              \
              " LIMIT $1::bigint")                                                                                         \
    X(LEASES, "SELECT " PG_LEASE_ROW " FROM reservations r WHERE r.session <> '' AND r.expires > " PG_NOW                  \
              " ORDER BY r.category, r.id LIMIT $1::bigint")                                                               \
    X(LEASES_ASKED, "SELECT n.category, n.id, coalesce(r.user_id, ''), coalesce(r.session, ''), coalesce(r.token, 0),"     \
                    " coalesce(r.since, 0), coalesce(r.expires, 0), " PG_NOW " FROM unnest($1::text[], $2::text[])"        \
                    " WITH ORDINALITY n(category, id, ord) LEFT JOIN reservations r ON r.category = n.category"            \
                    " AND r.id = n.id ORDER BY n.ord")

#endif
