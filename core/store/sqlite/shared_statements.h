/* The statements of the shared tables. A text "" is bound as NULL (conn.c): where it may stand in a row it is made "" again. */
#ifndef SQLITE_SHARED_STATEMENTS_H
#define SQLITE_SHARED_STATEMENTS_H

#define SQ_LEASE_ROW "SELECT category, id, user_id, session, token, since, expires FROM reservations "

#define SQ_SHARED_STATEMENTS(X)                                                                                        \
    X(LEASE, SQ_LEASE_ROW "WHERE category = ?1 AND id = ?2")                                                           \
    X(LEASES_OF, SQ_LEASE_ROW "WHERE session = ?1 AND session <> ''")                                                  \
    X(LEASES, SQ_LEASE_ROW "WHERE session <> '' AND expires > ?1 ORDER BY category, id LIMIT ?2")                      \
    X(SET_LEASE, "INSERT INTO reservations(category, id, user_id, session, token, since, expires)"                     \
                 " VALUES(?1, ?2, coalesce(?3, ''), coalesce(?4, ''), ?5, ?6, ?7) ON CONFLICT DO UPDATE SET"           \
                 " user_id = excluded.user_id, session = excluded.session, token = excluded.token,"                    \
                 " since = excluded.since, expires = excluded.expires")                                                \
    X(REVOKE, "INSERT INTO revocations(hash, until) VALUES(?1, ?2)"                                                    \
              " ON CONFLICT DO UPDATE SET until = max(until, excluded.until)")                                         \
    X(FORGET, "DELETE FROM revocations WHERE hash IN (SELECT hash FROM revocations WHERE until <= ?1 LIMIT 1000)")     \
    X(REVOKED, "SELECT hash, until FROM revocations WHERE until > ?1 LIMIT ?2")                                        \
    X(AUDIT, "INSERT INTO audit(at, user_id, action, object_type, object_id, detail, scope) VALUES(?1,"                \
             " coalesce(?2, ''), coalesce(?3, ''), coalesce(?4, ''), coalesce(?5, ''), coalesce(?6, ''), coalesce(?7, ''))") \
    X(AUDITS, "SELECT at, user_id, action, object_type, object_id, detail, scope FROM audit ORDER BY id DESC LIMIT ?1") \
    X(RAISE, "INSERT INTO cache_versions(scope, name, version) VALUES(coalesce(?1, ''), ?2, ?3)"                       \
             " ON CONFLICT DO UPDATE SET version = version + excluded.version RETURNING version")                      \
    X(CACHE, "SELECT version FROM cache_versions WHERE scope = '' AND name = ?1")                                      \
    X(CACHES, "SELECT scope, name, version FROM cache_versions ORDER BY scope, name LIMIT ?1")

#endif
