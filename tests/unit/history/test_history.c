/* Comparing states: what people see of a change, and who made it. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <umbel/crdt_types.h>
#include <umbel/history.h>

#define TEXT(s) UM_SPAN_STR(s)
#define NO_ATTRS UM_SPAN(NULL, 0)
#define JSON(s) ((struct um_crdt_value){ .kind = UM_CRDT_V_JSON, .data = UM_SPAN_STR(s) })

static const char *user_of(void *arg, uint64_t client)
{
    (void)arg;
    return client == 1 || client == 11 ? "ann" : client == 2 ? "bob" : NULL;
}

/* ---- a document and its past --------------------------------------------------------------------------- */

struct world {
    struct um_crdt *doc;
    struct um_crdt_type root;
    struct um_buf past;
};

static void past_take(struct world *w)
{
    um_buf_clear(&w->past);
    assert_int_equal(um_crdt_encode(w->doc, UM_SPAN(NULL, 0), &w->past), UM_OK);
}

static void world_make(struct world *w, enum um_crdt_kind kind)
{
    memset(w, 0, sizeof(*w));
    assert_int_equal(um_crdt_new(NULL, &w->doc), UM_OK);
    assert_int_equal(um_crdt_root(w->doc, TEXT("default"), kind, &w->root), UM_OK);
    assert_int_equal(um_crdt_begin(w->doc, 1, NULL), UM_OK);
}

static void now_writes(struct world *w, uint64_t client)
{
    assert_int_equal(um_crdt_commit(w->doc, NULL), UM_OK);
    assert_int_equal(um_crdt_begin(w->doc, client, NULL), UM_OK);
}

/* From now on BOB writes; what was is the old state. */
static void world_turn(struct world *w)
{
    now_writes(w, 2);
    past_take(w);
}

static json_t *world_compare(struct world *w)
{
    struct um_buf now = { 0 };
    json_t *diff;

    assert_int_equal(um_crdt_commit(w->doc, NULL), UM_OK);
    assert_int_equal(um_crdt_encode(w->doc, UM_SPAN(NULL, 0), &now), UM_OK);
    assert_int_equal(um_history_compare(UM_SPAN(w->past.data, w->past.len), UM_SPAN(now.data, now.len), user_of, NULL, &diff), UM_OK);
    um_buf_free(&now);
    um_buf_free(&w->past);
    um_crdt_free(w->doc);
    return diff;
}

static struct um_crdt_type block_at(struct world *w, const struct um_crdt_type *in, uint32_t at, const char *name, const char *text)
{
    struct um_crdt_value inner = { .kind = UM_CRDT_V_TYPE, .type = UM_CRDT_XML_TEXT, .text = text != NULL ? TEXT(text) : NO_ATTRS };
    struct um_crdt_value v = { .kind = UM_CRDT_V_TYPE, .type = UM_CRDT_XML_ELEMENT, .name = TEXT(name), .items = &inner,
                               .n_items = text != NULL };

    assert_int_equal(um_crdt_list_insert(w->doc, in, at, &v, 1), UM_OK);
    return v.ref;
}

static struct um_crdt_type text_in(struct world *w, uint32_t block)
{
    struct um_crdt_value v;

    assert_int_equal(um_crdt_get(w->doc, &w->root, block, &v), UM_OK);
    assert_int_equal(um_crdt_get(w->doc, &v.ref, 0, &v), UM_OK);
    return v.ref;
}

static void text_replace(struct world *w, uint32_t block, uint32_t at, uint32_t n, const char *text)
{
    struct um_crdt_type t = text_in(w, block);

    assert_int_equal(um_crdt_text_delete(w->doc, &t, at, n), UM_OK);
    assert_int_equal(um_crdt_text_insert(w->doc, &t, at, TEXT(text), NO_ATTRS), UM_OK);
}

/* ---- looking ------------------------------------------------------------------------------------------- */

static const json_t *root_of(const json_t *diff, const char *name)
{
    size_t i;
    json_t *r;

    json_array_foreach(json_object_get(diff, "roots"), i, r)
        if (strcmp(json_string_value(json_object_get(r, "name")), name) == 0)
            return r;
    fail_msg("no root %s", name);
    return NULL;
}

static void assert_json(const json_t *got, const char *want)
{
    json_error_t e;
    json_t *w = json_loads(want, JSON_DECODE_ANY, &e);
    char *text = json_dumps(got, JSON_COMPACT | JSON_ENCODE_ANY);

    if (w == NULL)
        fail_msg("%s: %s", want, e.text);
    if (!json_equal(got, w))
        fail_msg("got  %s\nwant %s", text, want);
    free(text);
    json_decref(w);
}

static void assert_member(const json_t *o, const char *key, const char *want) { assert_json(json_object_get(o, key), want); }

static const json_t *block_of(const json_t *diff, size_t i)
{
    const json_t *b = json_array_get(json_object_get(root_of(diff, "default"), "blocks"), i);

    assert_non_null(b);
    return b;
}

/* ---- blocks and words ---------------------------------------------------------------------------------- */

static void changed_words_are_told_with_their_writer(void **state)
{
    struct world w;
    struct um_crdt_type t;
    json_t *diff;

    (void)state;
    world_make(&w, UM_CRDT_XML_FRAGMENT);
    block_at(&w, &w.root, 0, "heading", "Minutes");
    block_at(&w, &w.root, 1, "paragraph", "Present were");
    block_at(&w, &w.root, 2, "paragraph", "the red fox");
    block_at(&w, &w.root, 3, "paragraph", "The end");
    world_turn(&w);
    text_replace(&w, 2, 4, 3, "quick brown");
    t = text_in(&w, 2);
    assert_int_equal(um_crdt_text_format(w.doc, &t, 16, 3, TEXT("{\"bold\":true}")), UM_OK);
    diff = world_compare(&w);
    assert_member(diff, "changed", "true");
    assert_member(root_of(diff, "default"), "blocks",
                  "[{\"status\":\"equal\",\"count\":2,\"first\":\"Minutes\",\"last\":\"Present were\"},"
                  "{\"status\":\"changed\",\"type\":\"paragraph\",\"oldIndex\":2,\"newIndex\":2,\"parts\":["
                  "{\"op\":\"equal\",\"text\":\"the \"},{\"op\":\"delete\",\"text\":\"red\"},"
                  "{\"op\":\"insert\",\"text\":\"quick brown\",\"by\":\"bob\",\"client\":2},{\"op\":\"equal\",\"text\":\" \"},"
                  "{\"op\":\"format\",\"text\":\"fox\",\"old\":{},\"new\":{\"bold\":true}}]},"
                  "{\"status\":\"equal\",\"count\":1,\"first\":\"The end\",\"last\":\"The end\"}]");
    assert_member(diff, "totals", "{\"words\":{\"inserted\":2,\"deleted\":1},\"characters\":{\"inserted\":11,\"deleted\":3},"
                                  "\"blocks\":{\"equal\":3,\"changed\":1,\"added\":0,\"removed\":0},\"formats\":1,\"values\":0}");
    assert_member(diff, "users", "[{\"user\":\"bob\",\"clients\":[2],\"words\":2,\"characters\":11,\"values\":0}]");
    json_decref(diff);
}

static void a_word_belongs_to_who_wrote_its_first_new_letter(void **state)
{
    struct world w;
    json_t *diff;

    (void)state;
    world_make(&w, UM_CRDT_XML_FRAGMENT);
    block_at(&w, &w.root, 0, "paragraph", "one fox ran");
    world_turn(&w);
    text_replace(&w, 0, 7, 0, "es");
    now_writes(&w, 33);
    text_replace(&w, 0, 9, 0, "!");
    diff = world_compare(&w);
    assert_member(block_of(diff, 0), "parts",
                  "[{\"op\":\"equal\",\"text\":\"one \"},{\"op\":\"delete\",\"text\":\"fox\"},"
                  "{\"op\":\"insert\",\"text\":\"foxes\",\"by\":\"bob\",\"client\":2},"
                  "{\"op\":\"insert\",\"text\":\"!\",\"by\":null,\"client\":33},{\"op\":\"equal\",\"text\":\" ran\"}]");
    assert_member(diff, "users", "[{\"user\":\"bob\",\"clients\":[2],\"words\":1,\"characters\":5,\"values\":0},"
                                 "{\"user\":null,\"clients\":[33],\"words\":0,\"characters\":1,\"values\":0}]");
    json_decref(diff);
}

static void blocks_come_and_go(void **state)
{
    struct world w;
    json_t *diff;

    (void)state;
    world_make(&w, UM_CRDT_XML_FRAGMENT);
    for (uint32_t i = 0; i < 6; i++) {
        char text[40];

        snprintf(text, sizeof(text), "paragraph number %u of some", i);
        block_at(&w, &w.root, i, "paragraph", text);
    }
    world_turn(&w);
    assert_int_equal(um_crdt_list_delete(w.doc, &w.root, 4, 1), UM_OK);
    block_at(&w, &w.root, 1, "horizontalRule", NULL);
    block_at(&w, &w.root, 2, "paragraph", "new");
    diff = world_compare(&w);
    assert_member(diff, "totals", "{\"words\":{\"inserted\":1,\"deleted\":5},\"characters\":{\"inserted\":3,\"deleted\":26},"
                                  "\"blocks\":{\"equal\":5,\"changed\":0,\"added\":2,\"removed\":1},\"formats\":0,\"values\":0}");
    assert_json(block_of(diff, 1), "{\"status\":\"added\",\"type\":\"horizontalRule\",\"newIndex\":1,\"parts\":[]}");
    assert_json(block_of(diff, 2), "{\"status\":\"added\",\"type\":\"paragraph\",\"newIndex\":2,\"parts\":["
                                   "{\"op\":\"insert\",\"text\":\"new\",\"by\":\"bob\",\"client\":2}]}");
    assert_json(block_of(diff, 4), "{\"status\":\"removed\",\"type\":\"paragraph\",\"oldIndex\":4,\"parts\":["
                                   "{\"op\":\"delete\",\"text\":\"paragraph number 4 of some\"}]}");
    json_decref(diff);
}

static void attributes_of_blocks_and_of_what_is_around_them_are_told(void **state)
{
    struct world w;
    struct um_crdt_type list, item, heading;
    struct um_crdt_value no = JSON("false"), yes = JSON("true"), one = JSON("1"), two = JSON("2");
    json_t *diff;

    (void)state;
    world_make(&w, UM_CRDT_XML_FRAGMENT);
    heading = block_at(&w, &w.root, 0, "heading", "Title");
    assert_int_equal(um_crdt_map_set(w.doc, &heading, TEXT("level"), &one), UM_OK);
    list = block_at(&w, &w.root, 1, "taskList", NULL);
    item = block_at(&w, &list, 0, "taskItem", NULL);
    assert_int_equal(um_crdt_map_set(w.doc, &item, TEXT("checked"), &no), UM_OK);
    block_at(&w, &item, 0, "paragraph", "buy milk");
    block_at(&w, &item, 1, "paragraph", "and bread");
    world_turn(&w);
    assert_int_equal(um_crdt_map_set(w.doc, &heading, TEXT("level"), &two), UM_OK);
    assert_int_equal(um_crdt_map_set(w.doc, &item, TEXT("checked"), &yes), UM_OK);
    diff = world_compare(&w);
    assert_json(block_of(diff, 0), "{\"status\":\"changed\",\"type\":\"heading\",\"oldIndex\":0,\"newIndex\":0,"
                                   "\"attributes\":[{\"path\":[\"level\"],\"status\":\"changed\",\"old\":1,\"new\":2,\"by\":\"bob\",\"client\":2}],"
                                   "\"parts\":[{\"op\":\"equal\",\"text\":\"Title\"}]}");
    assert_json(block_of(diff, 1), "{\"status\":\"changed\",\"type\":\"paragraph\",\"oldIndex\":1,\"newIndex\":1,"
                                   "\"within\":[\"taskList\",\"taskItem\"],\"attributes\":[{\"path\":[\"taskItem\",\"checked\"],"
                                   "\"status\":\"changed\",\"old\":false,\"new\":true,\"by\":\"bob\",\"client\":2}],"
                                   "\"parts\":[{\"op\":\"equal\",\"text\":\"buy milk\"}]}");
    assert_member(block_of(diff, 2), "status", "\"equal\"");
    json_decref(diff);
}

static void objects_within_text_are_told(void **state)
{
    struct world w;
    struct um_crdt_type p, mention;
    struct um_crdt_value id = JSON("\"carla\"");
    json_t *diff;

    (void)state;
    world_make(&w, UM_CRDT_XML_FRAGMENT);
    p = block_at(&w, &w.root, 0, "paragraph", "thanks to ");
    world_turn(&w);
    mention = block_at(&w, &p, 1, "mention", NULL);
    assert_int_equal(um_crdt_map_set(w.doc, &mention, TEXT("id"), &id), UM_OK);
    diff = world_compare(&w);
    assert_member(block_of(diff, 0), "parts",
                  "[{\"op\":\"equal\",\"text\":\"thanks to \"},{\"op\":\"insert\",\"object\":{\"name\":\"mention\","
                  "\"json\":\"<mention id=\\\"carla\\\"></mention>\"},\"by\":\"bob\",\"client\":2}]");
    assert_member(diff, "totals", "{\"words\":{\"inserted\":0,\"deleted\":0},\"characters\":{\"inserted\":1,\"deleted\":0},"
                                  "\"blocks\":{\"equal\":0,\"changed\":1,\"added\":0,\"removed\":0},\"formats\":0,\"values\":0}");
    json_decref(diff);
}

static void texts_are_compared_line_by_line(void **state)
{
    struct world w;
    json_t *diff;

    (void)state;
    world_make(&w, UM_CRDT_TEXT);
    assert_int_equal(um_crdt_text_insert(w.doc, &w.root, 0, TEXT("first line\nsecond line\nthird"), NO_ATTRS), UM_OK);
    world_turn(&w);
    assert_int_equal(um_crdt_text_delete(w.doc, &w.root, 11, 6), UM_OK);
    assert_int_equal(um_crdt_text_insert(w.doc, &w.root, 11, TEXT("\xe4\xba\x8c\xe3\x81\xae"), TEXT("{\"b\":true}")), UM_OK);
    diff = world_compare(&w);
    assert_member(root_of(diff, "default"), "kind", "\"Text\"");
    assert_json(block_of(diff, 1), "{\"status\":\"changed\",\"type\":\"line\",\"oldIndex\":1,\"newIndex\":1,\"parts\":["
                                   "{\"op\":\"delete\",\"text\":\"second\"},{\"op\":\"insert\",\"text\":\"\xe4\xba\x8c\xe3\x81\xae\","
                                   "\"marks\":{\"b\":true},\"by\":\"bob\",\"client\":2},{\"op\":\"equal\",\"text\":\" line\"}]}");
    assert_member(json_object_get(diff, "totals"), "words", "{\"inserted\":2,\"deleted\":1}");
    json_decref(diff);
}

/* ---- values -------------------------------------------------------------------------------------------- */

static void maps_and_arrays_are_told_by_path(void **state)
{
    struct world w;
    struct um_crdt_value list = { .kind = UM_CRDT_V_TYPE, .type = UM_CRDT_ARRAY }, map = { .kind = UM_CRDT_V_TYPE, .type = UM_CRDT_MAP };
    struct um_crdt_value text = { .kind = UM_CRDT_V_TYPE, .type = UM_CRDT_TEXT, .text = TEXT("a note") };
    struct um_crdt_value v[4] = { JSON("1"), JSON("2"), JSON("{\"x\":[1]}"), JSON("\"four\"") }, old = JSON("\"Old\""), new = JSON("\"New\"");
    json_t *diff;

    (void)state;
    world_make(&w, UM_CRDT_MAP);
    assert_int_equal(um_crdt_map_set(w.doc, &w.root, TEXT("title"), &old), UM_OK);
    assert_int_equal(um_crdt_map_set(w.doc, &w.root, TEXT("same"), &old), UM_OK);
    assert_int_equal(um_crdt_map_set(w.doc, &w.root, TEXT("gone"), &v[2]), UM_OK);
    assert_int_equal(um_crdt_map_set(w.doc, &w.root, TEXT("list"), &list), UM_OK);
    assert_int_equal(um_crdt_map_set(w.doc, &w.root, TEXT("note"), &text), UM_OK);
    assert_int_equal(um_crdt_list_insert(w.doc, &list.ref, 0, v, 3), UM_OK);
    assert_int_equal(um_crdt_list_insert(w.doc, &list.ref, 3, &map, 1), UM_OK);
    assert_int_equal(um_crdt_map_set(w.doc, &map.ref, TEXT("deep"), &v[0]), UM_OK);
    world_turn(&w);
    assert_int_equal(um_crdt_map_set(w.doc, &w.root, TEXT("title"), &new), UM_OK);
    assert_int_equal(um_crdt_map_delete(w.doc, &w.root, TEXT("gone")), UM_OK);
    assert_int_equal(um_crdt_list_delete(w.doc, &list.ref, 0, 1), UM_OK);
    assert_int_equal(um_crdt_list_insert(w.doc, &list.ref, 2, &v[3], 1), UM_OK);
    assert_int_equal(um_crdt_map_set(w.doc, &map.ref, TEXT("deep"), &v[1]), UM_OK);
    assert_int_equal(um_crdt_text_insert(w.doc, &text.ref, 2, TEXT("short "), NO_ATTRS), UM_OK);
    diff = world_compare(&w);
    assert_member(root_of(diff, "default"), "values",
                  "[{\"path\":[\"title\"],\"status\":\"changed\",\"old\":\"Old\",\"new\":\"New\",\"by\":\"bob\",\"client\":2},"
                  "{\"path\":[\"gone\"],\"status\":\"removed\",\"old\":{\"x\":[1]}},"
                  "{\"path\":[\"note\"],\"status\":\"changed\",\"blocks\":[{\"status\":\"changed\",\"type\":\"line\","
                  "\"oldIndex\":0,\"newIndex\":0,\"parts\":[{\"op\":\"equal\",\"text\":\"a \"},{\"op\":\"insert\",\"text\":\"short \",\"by\":\"bob\",\"client\":2},"
                  "{\"op\":\"equal\",\"text\":\"note\"}]}]},"
                  "{\"path\":[\"list\",0],\"status\":\"removed\",\"old\":1},"
                  "{\"path\":[\"list\",2],\"status\":\"added\",\"new\":\"four\",\"by\":\"bob\",\"client\":2},"
                  "{\"path\":[\"list\",3,\"deep\"],\"status\":\"changed\",\"old\":1,\"new\":2,\"by\":\"bob\",\"client\":2}]");
    json_decref(diff);
}

static void what_is_too_long_is_told_by_its_length(void **state)
{
    struct world w;
    struct um_crdt_value v = { .kind = UM_CRDT_V_STRING };
    char *text = calloc(1, HISTORY_VALUE_BYTES);
    json_t *diff;

    (void)state;
    memset(text, 'x', HISTORY_VALUE_BYTES);
    v.data = UM_SPAN(text, HISTORY_VALUE_BYTES);
    world_make(&w, UM_CRDT_MAP);
    world_turn(&w);
    assert_int_equal(um_crdt_map_set(w.doc, &w.root, TEXT("k"), &v), UM_OK);
    diff = world_compare(&w);
    assert_member(root_of(diff, "default"), "status", "\"added\"");
    assert_member(root_of(diff, "default"), "values", "[{\"path\":[\"k\"],\"status\":\"added\",\"newBytes\":16386,\"by\":\"bob\",\"client\":2}]");
    json_decref(diff);
    free(text);
}

/* ---- the whole ----------------------------------------------------------------------------------------- */

static void equal_states_show_nothing_but_their_roots(void **state)
{
    struct world w;
    json_t *diff;

    (void)state;
    world_make(&w, UM_CRDT_XML_FRAGMENT);
    block_at(&w, &w.root, 0, "paragraph", "as it was");
    world_turn(&w);
    text_replace(&w, 0, 3, 2, "it");      /* typed anew: shows the same */
    diff = world_compare(&w);
    assert_member(diff, "changed", "false");
    assert_member(diff, "roots", "[{\"name\":\"default\",\"kind\":\"XmlFragment\",\"status\":\"equal\",\"blocks\":["
                                 "{\"status\":\"equal\",\"count\":1,\"first\":\"as it was\",\"last\":\"as it was\"}]}]");
    assert_member(diff, "users", "[{\"user\":\"bob\",\"clients\":[2],\"words\":0,\"characters\":0,\"values\":0}]");
    json_decref(diff);
}

static void from_nothing_everything_is_added(void **state)
{
    struct world w;
    json_t *diff;

    (void)state;
    world_make(&w, UM_CRDT_XML_FRAGMENT);
    block_at(&w, &w.root, 0, "paragraph", "a beginning");
    diff = world_compare(&w);
    assert_member(root_of(diff, "default"), "status", "\"added\"");
    assert_member(diff, "users", "[{\"user\":\"ann\",\"clients\":[1],\"words\":2,\"characters\":11,\"values\":0}]");
    json_decref(diff);
}

static void clients_of_one_user_are_counted_together(void **state)
{
    struct world w;
    json_t *diff;

    (void)state;
    world_make(&w, UM_CRDT_XML_FRAGMENT);
    block_at(&w, &w.root, 0, "paragraph", "one");
    now_writes(&w, 11);
    block_at(&w, &w.root, 1, "paragraph", "two");
    diff = world_compare(&w);
    assert_member(diff, "users", "[{\"user\":\"ann\",\"clients\":[1,11],\"words\":2,\"characters\":6,\"values\":0}]");
    json_decref(diff);
}

static void a_root_of_another_kind_is_removed_and_added(void **state)
{
    struct world a, b;
    struct um_crdt_value v = JSON("7");
    json_t *diff;
    const json_t *root;

    (void)state;
    world_make(&a, UM_CRDT_XML_FRAGMENT);
    block_at(&a, &a.root, 0, "paragraph", "text");
    world_turn(&a);
    world_make(&b, UM_CRDT_ARRAY);
    assert_int_equal(um_crdt_list_push(b.doc, &b.root, &v, 1), UM_OK);
    b.past = a.past;
    assert_int_equal(um_crdt_commit(a.doc, NULL), UM_OK);
    um_crdt_free(a.doc);
    diff = world_compare(&b);
    root = root_of(diff, "default");
    assert_member(root, "kind", "\"Array\"");
    assert_member(root, "status", "\"changed\"");
    assert_int_equal(json_array_size(json_object_get(root, "blocks")), 1);
    assert_member(root, "values", "[{\"path\":[0],\"status\":\"added\",\"new\":7,\"by\":\"ann\",\"client\":1}]");
    json_decref(diff);
}

static void bad_states_are_refused(void **state)
{
    static const uint8_t bad[] = { 1, 2, 3 };
    struct um_span huge = { bad, HISTORY_STATE_BYTES + 1 };
    json_t *diff;

    (void)state;
    assert_int_equal(um_history_compare(UM_SPAN(bad, 3), UM_SPAN(NULL, 0), NULL, NULL, &diff), UM_EPROTO);
    assert_null(diff);
    assert_int_equal(um_history_compare(UM_SPAN(NULL, 0), UM_SPAN(bad, 3), NULL, NULL, &diff), UM_EPROTO);
    assert_int_equal(um_history_compare(UM_SPAN(NULL, 0), huge, NULL, NULL, &diff), UM_ELIMIT);
    assert_int_equal(um_history_compare(UM_SPAN(NULL, 0), UM_SPAN(NULL, 0), NULL, NULL, &diff), UM_OK);
    assert_member(diff, "changed", "false");
    json_decref(diff);
}

/* ---- limits -------------------------------------------------------------------------------------------- */

/* N words that are all different. */
static char *words_make(uint32_t from, uint32_t n)
{
    struct um_buf b = { 0 };
    char *text;

    for (uint32_t i = 0; i < n; i++)
        um_buf_printf(&b, "%sw%u", i > 0 ? " " : "", from + i);
    text = strdup(um_buf_cstr(&b));
    um_buf_free(&b);
    return text;
}

static void blocks_beyond_the_word_limit_are_told_whole(void **state)
{
    char *old = words_make(0, 3000), *new = words_make(10000, 3000);
    struct world w;
    json_t *diff;

    (void)state;
    world_make(&w, UM_CRDT_XML_FRAGMENT);
    block_at(&w, &w.root, 0, "paragraph", old);
    world_turn(&w);
    text_replace(&w, 0, 0, (uint32_t)strlen(old), new);
    diff = world_compare(&w);
    assert_member(block_of(diff, 0), "coarse", "true");
    assert_int_equal(json_array_size(json_object_get(block_of(diff, 0), "parts")), 2);
    assert_member(json_object_get(diff, "totals"), "words", "{\"inserted\":3000,\"deleted\":3000}");
    json_decref(diff);
    free(old);
    free(new);
}

static void more_blocks_than_are_shown_are_counted(void **state)
{
    struct world w;
    json_t *diff;

    (void)state;
    world_make(&w, UM_CRDT_TEXT);
    for (uint32_t i = 0; i < HISTORY_BLOCKS_SHOWN + 500; i++)
        assert_int_equal(um_crdt_text_insert(w.doc, &w.root, 0, TEXT("old line\n"), NO_ATTRS), UM_OK);
    past_take(&w);
    um_buf_clear(&w.past);                /* from nothing */
    diff = world_compare(&w);
    assert_member(diff, "truncated", "true");
    assert_int_equal(json_array_size(json_object_get(root_of(diff, "default"), "blocks")), HISTORY_BLOCKS_SHOWN);
    assert_int_equal(json_integer_value(json_object_get(json_object_get(json_object_get(diff, "totals"), "blocks"), "added")),
                     HISTORY_BLOCKS_SHOWN + 500);
    json_decref(diff);
}

static size_t calls_left = SIZE_MAX;
static void *failing_malloc(size_t size)
{
    if (calls_left == 0)
        return NULL;
    calls_left--;
    return malloc(size);
}

static void json_without_memory_is_an_error(void **state)
{
    um_err err = UM_ENOMEM;
    struct world w;
    struct um_crdt_value v = JSON("{\"a\":[1]}");
    struct um_buf now = { 0 };
    json_t *diff = NULL;

    (void)state;
    world_make(&w, UM_CRDT_XML_FRAGMENT);
    block_at(&w, &w.root, 0, "paragraph", "the old words");
    block_at(&w, &w.root, 1, "paragraph", "that go");
    world_turn(&w);
    text_replace(&w, 0, 4, 3, "new");
    assert_int_equal(um_crdt_list_delete(w.doc, &w.root, 1, 1), UM_OK);
    assert_int_equal(um_crdt_root(w.doc, TEXT("m"), UM_CRDT_MAP, &w.root), UM_OK);
    assert_int_equal(um_crdt_map_set(w.doc, &w.root, TEXT("k"), &v), UM_OK);
    assert_int_equal(um_crdt_commit(w.doc, NULL), UM_OK);
    assert_int_equal(um_crdt_encode(w.doc, UM_SPAN(NULL, 0), &now), UM_OK);
    json_set_alloc_funcs(failing_malloc, free);
    for (size_t n = 0; err == UM_ENOMEM && n < 5000; n++) {
        calls_left = n;
        err = um_history_compare(UM_SPAN(w.past.data, w.past.len), UM_SPAN(now.data, now.len), user_of, NULL, &diff);
    }
    calls_left = SIZE_MAX;
    assert_int_equal(err, UM_OK);
    json_decref(diff);
    json_set_alloc_funcs(malloc, free);
    um_buf_free(&now);
    um_buf_free(&w.past);
    um_crdt_free(w.doc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(changed_words_are_told_with_their_writer),
        cmocka_unit_test(a_word_belongs_to_who_wrote_its_first_new_letter),
        cmocka_unit_test(blocks_come_and_go),
        cmocka_unit_test(attributes_of_blocks_and_of_what_is_around_them_are_told),
        cmocka_unit_test(objects_within_text_are_told),
        cmocka_unit_test(texts_are_compared_line_by_line),
        cmocka_unit_test(maps_and_arrays_are_told_by_path),
        cmocka_unit_test(what_is_too_long_is_told_by_its_length),
        cmocka_unit_test(equal_states_show_nothing_but_their_roots),
        cmocka_unit_test(from_nothing_everything_is_added),
        cmocka_unit_test(clients_of_one_user_are_counted_together),
        cmocka_unit_test(a_root_of_another_kind_is_removed_and_added),
        cmocka_unit_test(bad_states_are_refused),
        cmocka_unit_test(blocks_beyond_the_word_limit_are_told_whole),
        cmocka_unit_test(more_blocks_than_are_shown_are_counted),
        cmocka_unit_test(json_without_memory_is_an_error),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
