#include <string.h>
#include <strings.h>
#include <umbel/bytes.h>
#include "modules.h"

/* ---- tables ---- */

/* BODY is the scope as JSON, in the form of the REST interface. */
static const struct store_ddl scopes[] = {
    { STORE_BOTH, "CREATE TABLE scopes(id {TEXT} PRIMARY KEY NOT NULL, version {BIGINT} NOT NULL, body {TEXT} NOT NULL,"
                  " created_ms {BIGINT} NOT NULL, updated_ms {BIGINT} NOT NULL)" },
};

/* Configuration objects of the scopes: classes, tags, ACLs (core/domain/objects.h); BODY as in the REST interface. A scope's
 * STAMP is another random number after every change of them (core/domain/model.h). */
static const struct store_ddl objects[] = {
    { STORE_BOTH, "CREATE TABLE objects(scope {TEXT} NOT NULL, kind {TEXT} NOT NULL, id {TEXT} NOT NULL, version {BIGINT} NOT NULL,"
                  " body {TEXT} NOT NULL, updated_ms {BIGINT} NOT NULL, PRIMARY KEY(scope, kind, id))" },
    { STORE_BOTH, "CREATE TABLE models(scope {TEXT} PRIMARY KEY NOT NULL, stamp {BIGINT} NOT NULL)" },
};

/* Components. BODY is the component as the REST interface has it, and the truth; the columns beside it and the rows of its tags
 * are what is searched by, written with it. NUM is its name inside the database: short, never reused. FIELD: scope, category and
 * name of a tag as one number (core/domain/search/fields.h); VALUE: its beginning; NUMBER: a value as number or moment, when the
 * tag's class has such a type. */
static const struct store_ddl components[] = {
    { STORE_BOTH, "CREATE TABLE components(num {ID}, scope {TEXT} NOT NULL, category {TEXT} NOT NULL, id {TEXT} NOT NULL,"
                  " class_id {TEXT} NOT NULL, name {TEXT} NOT NULL, acl {TEXT} NOT NULL, owner {TEXT} NOT NULL, status {TEXT} NOT NULL,"
                  " assignee {TEXT} NOT NULL, version {BIGINT} NOT NULL, created_ms {BIGINT} NOT NULL, updated_ms {BIGINT} NOT NULL,"
                  " body {TEXT} NOT NULL)" },
    { STORE_BOTH, "CREATE UNIQUE INDEX components_by_id ON components(scope, category, id)" },
    { STORE_BOTH, "CREATE INDEX components_by_class ON components(scope, category, class_id, updated_ms, num, acl)" },
    { STORE_BOTH, "CREATE TABLE component_tags(num {BIGINT} NOT NULL, field {BIGINT} NOT NULL, position {BIGINT} NOT NULL,"
                  " value {TEXT} NOT NULL, number {REAL}, PRIMARY KEY(num, field, position)) {KEYED}" },
};

/* Ways into them for searches. They end with what decides whether a row is a result, so that the row itself, which has the
 * body in it, is not read for that. */
static const struct store_ddl component_indexes[] = {
    { STORE_BOTH, "CREATE INDEX components_by_update ON components(scope, category, updated_ms, num, acl)" },
    { STORE_BOTH, "CREATE INDEX components_by_creation ON components(scope, category, created_ms, num, acl)" },
    { STORE_BOTH, "CREATE INDEX components_by_name ON components(scope, category, name, num, acl)" },
    { STORE_BOTH, "CREATE INDEX components_by_assignee ON components(scope, category, assignee, num, acl)" },
    { STORE_BOTH, "CREATE INDEX component_tags_by_value ON component_tags(field, value, num)" },
    { STORE_BOTH, "CREATE INDEX component_tags_by_number ON component_tags(field, number, num) WHERE number IS NOT NULL" },
};

/* Full text. TEXT: the words of one part of a component (its name and tags, a file), once each. component_words has those of
 * the whole component for the databases' own full-text index, and follows component_text by itself, whoever writes that. */
static const struct store_ddl texts[] = {
    { STORE_BOTH, "CREATE TABLE component_text(num {BIGINT} NOT NULL, part {TEXT} NOT NULL, text {TEXT} NOT NULL,"
                  " PRIMARY KEY(num, part))" },
    { STORE_SQLITE, "CREATE VIRTUAL TABLE component_words USING fts5(words, content='', detail=none, columnsize=0, tokenize='ascii')" },
#define WITH_OLD \
    "INSERT INTO component_words(component_words, rowid, words) SELECT 'delete', OLD.num, OLD.text || ' ' || coalesce(" \
    "(SELECT group_concat(text, ' ') FROM component_text WHERE num = OLD.num AND part <> OLD.part), '');"
#define WITHOUT_NEW \
    "INSERT INTO component_words(component_words, rowid, words) SELECT 'delete', num, group_concat(text, ' ') FROM component_text" \
    " WHERE num = NEW.num AND part <> NEW.part GROUP BY num;"
#define ALL(row) \
    "INSERT INTO component_words(rowid, words) SELECT num, group_concat(text, ' ') FROM component_text WHERE num = " row ".num GROUP BY num;"
    { STORE_SQLITE, "CREATE TRIGGER component_text_insert AFTER INSERT ON component_text BEGIN " WITHOUT_NEW ALL("NEW") " END" },
    { STORE_SQLITE, "CREATE TRIGGER component_text_update AFTER UPDATE ON component_text BEGIN " WITH_OLD ALL("NEW") " END" },
    { STORE_SQLITE, "CREATE TRIGGER component_text_delete AFTER DELETE ON component_text BEGIN " WITH_OLD ALL("OLD") " END" },
#undef WITH_OLD
#undef WITHOUT_NEW
#undef ALL
    { STORE_POSTGRES, "CREATE TABLE component_words(num bigint PRIMARY KEY NOT NULL, words tsvector NOT NULL)" },
    { STORE_POSTGRES, "CREATE INDEX component_words_by_word ON component_words USING gin(words)" },
    { STORE_POSTGRES, "CREATE FUNCTION component_text_follow() RETURNS trigger LANGUAGE plpgsql AS $$"
                      " DECLARE n bigint; all_text text;"
                      " BEGIN"
                      "  IF TG_OP = 'DELETE' THEN n := OLD.num; ELSE n := NEW.num; END IF;"
                      "  SELECT string_agg(text, ' ') INTO all_text FROM component_text WHERE num = n AND text <> '';"
                      "  IF all_text IS NULL THEN DELETE FROM component_words WHERE num = n;"
                      "  ELSE INSERT INTO component_words VALUES(n, array_to_tsvector(string_to_array(all_text, ' ')))"
                      "   ON CONFLICT (num) DO UPDATE SET words = EXCLUDED.words; END IF;"
                      "  RETURN NULL;"
                      " END $$" },
    { STORE_POSTGRES, "CREATE TRIGGER component_text_follow AFTER INSERT OR UPDATE OR DELETE ON component_text"
                      " FOR EACH ROW EXECUTE FUNCTION component_text_follow()" },
};

/* Exports of searches (core/domain/search/jobs.c). */
static const struct store_ddl search_jobs[] = {
    { STORE_BOTH, "CREATE TABLE search_jobs(id {TEXT} PRIMARY KEY NOT NULL, scope {TEXT} NOT NULL, category {TEXT} NOT NULL, owner {TEXT} NOT NULL,"
                  " request {TEXT} NOT NULL, locale {TEXT} NOT NULL, created_ms {BIGINT} NOT NULL, expires_ms {BIGINT} NOT NULL, error {TEXT} NOT NULL)" },
    { STORE_BOTH, "CREATE INDEX search_jobs_expires ON search_jobs(expires_ms)" },
    { STORE_BOTH, "CREATE INDEX search_jobs_owner ON search_jobs(scope, owner)" },
};

/* Files, and the contents that they refer to (core/content/internal.h). Chunks have been compressed by whoever wanted them to be. */
static const struct store_ddl contents[] = {
    { STORE_BOTH, "CREATE TABLE contents(id {TEXT} PRIMARY KEY NOT NULL, place {TEXT} NOT NULL, size {BIGINT} NOT NULL,"
                  " sha256 {TEXT} NOT NULL, chunk {BIGINT} NOT NULL, created_ms {BIGINT} NOT NULL, due_ms {BIGINT})" },
    { STORE_BOTH, "CREATE INDEX contents_due ON contents(due_ms) WHERE due_ms IS NOT NULL" },
    { STORE_BOTH, "CREATE TABLE content_chunks(content {TEXT} NOT NULL, n {BIGINT} NOT NULL, bytes {BLOB} NOT NULL,"
                  " PRIMARY KEY(content, n))" },
    { STORE_POSTGRES, "ALTER TABLE content_chunks ALTER COLUMN bytes SET STORAGE EXTERNAL" },
    { STORE_BOTH, "CREATE TABLE content_files(owner {TEXT} NOT NULL, id {TEXT} NOT NULL, content {TEXT}, name {TEXT} NOT NULL,"
                  " format {TEXT} NOT NULL, created_ms {BIGINT} NOT NULL, expires_ms {BIGINT}, PRIMARY KEY(owner, id)) {KEYED}" },
    { STORE_BOTH, "CREATE INDEX content_files_content ON content_files(content)" },
    { STORE_BOTH, "CREATE INDEX content_files_expires ON content_files(expires_ms) WHERE expires_ms IS NOT NULL" },
};

/* Whether an ACL is in use, and what is under one. */
static const struct store_ddl components_by_acl[] = {
    { STORE_BOTH, "CREATE INDEX components_by_acl ON components(scope, acl)" },
};

/* What lies in folders; both are a component's num. */
static const struct store_ddl folder_children[] = {
    { STORE_BOTH, "CREATE TABLE folder_children(folder {BIGINT} NOT NULL, child {BIGINT} NOT NULL, position {BIGINT} NOT NULL,"
                  " PRIMARY KEY(folder, child)) {KEYED}" },
    { STORE_BOTH, "CREATE INDEX folder_children_child ON folder_children(child)" },
};

/* What was done with components. FIELDS: those that have changed, as JSON. */
static const struct store_ddl facts[] = {
    { STORE_BOTH, "CREATE TABLE facts(num {ID}, scope {TEXT} NOT NULL, category {TEXT} NOT NULL, object {TEXT} NOT NULL, action {TEXT} NOT NULL,"
                  " user_id {TEXT} NOT NULL, request {TEXT} NOT NULL, technical {BIGINT} NOT NULL, created_ms {BIGINT} NOT NULL,"
                  " description {TEXT} NOT NULL, fields {TEXT} NOT NULL)" },
    { STORE_BOTH, "CREATE INDEX facts_of_object ON facts(scope, category, object, num)" },
    { STORE_BOTH, "CREATE INDEX facts_of_scope ON facts(scope, num)" },
};

/* Documents as they were; DOCUMENT is a component's num. */
static const struct store_ddl document_versions[] = {
    { STORE_BOTH, "CREATE TABLE document_versions(num {ID}, document {BIGINT} NOT NULL, label {TEXT} NOT NULL, author {TEXT} NOT NULL,"
                  " created_ms {BIGINT} NOT NULL, body {TEXT} NOT NULL)" },
    { STORE_BOTH, "CREATE INDEX document_versions_of ON document_versions(document, num)" },
};

/* What people keep for themselves: components at hand, by their num, and searches; USERS: who may see one of somebody else's. */
static const struct store_ddl kept_by_people[] = {
    { STORE_BOTH, "CREATE TABLE favorites(scope {TEXT} NOT NULL, user_id {TEXT} NOT NULL, component {BIGINT} NOT NULL,"
                  " created_ms {BIGINT} NOT NULL, PRIMARY KEY(scope, user_id, component)) {KEYED}" },
    { STORE_BOTH, "CREATE INDEX favorites_component ON favorites(component)" },
    { STORE_BOTH, "CREATE TABLE stored_searches(num {ID}, scope {TEXT} NOT NULL, id {TEXT} NOT NULL, owner {TEXT} NOT NULL,"
                  " body {TEXT} NOT NULL)" },
    { STORE_BOTH, "CREATE UNIQUE INDEX stored_searches_by_id ON stored_searches(scope, id)" },
    { STORE_BOTH, "CREATE INDEX stored_searches_owner ON stored_searches(scope, owner)" },
    { STORE_BOTH, "CREATE TABLE stored_search_users(scope {TEXT} NOT NULL, name {TEXT} NOT NULL, search {BIGINT} NOT NULL,"
                  " PRIMARY KEY(scope, name, search)) {KEYED}" },
    { STORE_BOTH, "CREATE INDEX stored_search_users_search ON stored_search_users(search)" },
};

#define ROWS(ddl) ddl, UM_COUNT(ddl)
static const struct store_migration migrations[] = {
    { "scopes", 1, ROWS(scopes) },
    { "configuration objects", 1, ROWS(objects) },
    { "components", 1, ROWS(components) },
    { "files and their contents", 1, ROWS(contents) },
    { "components by ACL", 1, ROWS(components_by_acl) },
    { "indexes of components", 1, ROWS(component_indexes) },
    { "full text", 1, ROWS(texts) },
    { "exports of searches", 1, ROWS(search_jobs) },
    { "children of folders", 1, ROWS(folder_children) },
    { "facts", 1, ROWS(facts) },
    { "versions of documents", 1, ROWS(document_versions) },
    { "favourites and stored searches", 1, ROWS(kept_by_people) },
};
_Static_assert(UM_COUNT(migrations) == STORE_SCHEMA_MODULES, "a migration is a version");

const struct store_migration *store_module_migration(int64_t version)
{
    UM_ASSERT(version > STORE_SCHEMA_OWN && version <= STORE_SCHEMA);
    return &migrations[version - STORE_SCHEMA_OWN - 1];
}

bool store_is_module_table(const char *name)
{
    bool is_one = false;

#define X(table, ...) is_one |= strcasecmp(name, #table) == 0;
    STORE_MODULE_TABLES(X)
    STORE_MODULE_DERIVED(X)
#undef X
    return is_one;
}

/* ---- words ---- */

static const struct word { const char *name, *sqlite, *postgres; } words_of_both[] = {
    { "{TEXT}", "TEXT", "text COLLATE \"C\"" },
    { "{BIGINT}", "INTEGER", "bigint" },
    { "{REAL}", "REAL", "double precision" },
    { "{BLOB}", "BLOB", "bytea" },
    { "{ID}", "INTEGER PRIMARY KEY AUTOINCREMENT", "bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY" },
    { "{KEYED}", "WITHOUT ROWID", "" },
};

static const struct word *word_at(const char *p)
{
    for (size_t i = 0; i < UM_COUNT(words_of_both); i++)
        if (strncmp(p, words_of_both[i].name, strlen(words_of_both[i].name)) == 0)
            return &words_of_both[i];
    return NULL;
}

char *store_ddl_for(enum store_dialect d, const char *words)
{
    struct um_buf b = { 0 };
    char *out;

    for (const char *p = words; *p != '\0';) {
        const struct word *w = *p == '{' ? word_at(p) : NULL;

        UM_ASSERT(*p != '{' || w != NULL);
        if (w == NULL) {
            um_buf_put_u8(&b, (uint8_t)*p++);
            continue;
        }
        um_buf_puts(&b, d == STORE_SQLITE ? w->sqlite : w->postgres);
        p += strlen(w->name);
    }
    out = um_xstrdup(um_buf_cstr(&b));
    um_buf_free(&b);
    return out;
}
