/* Full text. TEXT: the words of one part of a component (its name and tags, a file), once each.
 * component_words has those of the whole component for the databases' own full-text index, and follows
 * component_text by itself, whoever writes that. */
#include "modules.h"

static const struct store_ddl ddl[] = {
    { STORE_BOTH, "CREATE TABLE component_text(num {BIGINT} NOT NULL, part {TEXT} NOT NULL, text {TEXT} NOT NULL,"
                  " PRIMARY KEY(num, part))" },
    { STORE_SQLITE, "CREATE VIRTUAL TABLE component_words USING fts5(words, content='', detail=none,"
                    " columnsize=0, tokenize='ascii')" },
#define WITH_OLD \
    "INSERT INTO component_words(component_words, rowid, words) SELECT 'delete', OLD.num, OLD.text || ' ' ||" \
    " coalesce((SELECT group_concat(text, ' ') FROM component_text WHERE num = OLD.num AND part <> OLD.part), '');"
#define WITHOUT_NEW \
    "INSERT INTO component_words(component_words, rowid, words) SELECT 'delete', num, group_concat(text, ' ')" \
    " FROM component_text WHERE num = NEW.num AND part <> NEW.part GROUP BY num;"
#define ALL(row) \
    "INSERT INTO component_words(rowid, words) SELECT num, group_concat(text, ' ') FROM component_text" \
    " WHERE num = " row ".num GROUP BY num;"
#define TRIGGER(event, words) \
    "CREATE TRIGGER component_text_" event " AFTER " event " ON component_text BEGIN " words " END"
    { STORE_SQLITE, TRIGGER("insert", WITHOUT_NEW ALL("NEW")) },
    { STORE_SQLITE, TRIGGER("update", WITH_OLD ALL("NEW")) },
    { STORE_SQLITE, TRIGGER("delete", WITH_OLD ALL("OLD")) },
#undef TRIGGER
#undef WITH_OLD
#undef WITHOUT_NEW
#undef ALL
    { STORE_POSTGRES, "CREATE TABLE component_words(num bigint PRIMARY KEY NOT NULL, words tsvector NOT NULL)" },
    { STORE_POSTGRES, "CREATE INDEX component_words_by_word ON component_words USING gin(words)" },
    { STORE_POSTGRES, "CREATE FUNCTION component_text_follow() RETURNS trigger LANGUAGE plpgsql AS $$"
                      " DECLARE n bigint; all_text text;"
                      " BEGIN"
                      "  IF TG_OP = 'DELETE' THEN n := OLD.num; ELSE n := NEW.num; END IF;"
                      "  SELECT string_agg(text, ' ') INTO all_text FROM component_text"
                      "   WHERE num = n AND text <> '';"
                      "  IF all_text IS NULL THEN DELETE FROM component_words WHERE num = n;"
                      "  ELSE INSERT INTO component_words"
                      "   VALUES(n, array_to_tsvector(string_to_array(all_text, ' ')))"
                      "   ON CONFLICT (num) DO UPDATE SET words = EXCLUDED.words; END IF;"
                      "  RETURN NULL;"
                      " END $$" },
    { STORE_POSTGRES, "CREATE TRIGGER component_text_follow AFTER INSERT OR UPDATE OR DELETE ON component_text"
                      " FOR EACH ROW EXECUTE FUNCTION component_text_follow()" },
};

const struct store_migration store_module_texts = { "full text", 1, ddl, UM_COUNT(ddl) };
